#include "kernels/ops/quant_group/families.h"
#include "kernels/ops/quant_group/problem.h"
#include "kernels/ops/quant_group/vllm.h"

namespace assay_kernels {

bool run_vllm_register(const Call& call) {
  return VllmGroupList::with(call.contract(), [&](auto rules) { run_register<decltype(rules)>(call); });
}

}  // namespace assay_kernels
