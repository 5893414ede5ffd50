// The ops of ops.inc, one after the other.
#include "kernels/ops/catalogue.h"

namespace assay_kernels {

#define ASSAY_OP(op) std::vector<Kernel> op##_kernels();
#include "kernels/ops/ops.inc"
#undef ASSAY_OP

std::vector<Kernel> all_kernels() {
  return assay::plugin::joined({
#define ASSAY_OP(op) op##_kernels(),
#include "kernels/ops/ops.inc"
#undef ASSAY_OP
  });
}

}  // namespace assay_kernels
