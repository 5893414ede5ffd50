#include "kernels/ops/rms_norm_quant_group/aiter.h"
#include "kernels/ops/rms_norm_quant_group/apart.h"

namespace assay_kernels {

void run_norm_aiter(const Call& call) {
  NormAiterList::with(call.contract(), [&](auto rules) { run_rms_norm_quant_group<decltype(rules)>(call); });
}

}  // namespace assay_kernels
