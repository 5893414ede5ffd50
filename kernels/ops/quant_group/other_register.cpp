#include "kernels/ops/quant_group/families.h"
#include "kernels/ops/quant_group/others.h"
#include "kernels/ops/quant_group/problem.h"

namespace assay_kernels {

bool run_other_register(const Call& call) {
  return OtherGroupList::with(call.contract(), [&](auto rules) { run_register<decltype(rules)>(call); });
}

}  // namespace assay_kernels
