#include "kernels/ops/rms_norm_quant_group/aiter.h"
#include "kernels/ops/rms_norm_quant_group/apart.h"
#include "kernels/ops/rms_norm_quant_group/token.h"

namespace assay_kernels {

void run_norm_aiter_token(const Call& call) {
  NormAiterTokenList::with(call.contract(), [&](auto rules) { run_rms_norm_quant_token<decltype(rules)>(call); });
}

}  // namespace assay_kernels
