#include "kernels/ops/quant_group/families.h"
#include "kernels/ops/quant_group/others.h"
#include "kernels/ops/quant_group/problem.h"

namespace assay_kernels {

bool run_other_shared(const Call& call) {
  const auto run = [&](auto rules) { run_shared<decltype(rules)>(call); };
  return OtherGroupList::with(call.contract(), run) || Bf16GroupList::with(call.contract(), run) ||
         F16GroupList::with(call.contract(), run) || TransposedList::with(call.contract(), run);
}

}  // namespace assay_kernels
