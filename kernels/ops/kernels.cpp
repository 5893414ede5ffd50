// Every kernel of every op; ops.inc is the list.
#include "kernels/ops/catalogue.h"

namespace assay_kernels {

#define ASSAY_OP(op) std::vector<Kernel> op##_kernels();
#include "kernels/ops/ops.inc"
#undef ASSAY_OP

std::vector<Kernel> all_kernels() {
  std::vector<Kernel> all;
  for (const auto& part : {
#define ASSAY_OP(op) op##_kernels(),
#include "kernels/ops/ops.inc"
#undef ASSAY_OP
       })
    all.insert(all.end(), part.begin(), part.end());
  return all;
}

}  // namespace assay_kernels
