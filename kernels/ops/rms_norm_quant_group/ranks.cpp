// Behind all-reduces.
#include "kernels/ops/rms_norm_quant_group/apart.h"
#include "kernels/ops/rms_norm_quant_group/behind_ranks.h"
#include "kernels/ops/rms_norm_quant_group/token.h"

namespace assay_kernels {

void run_norm_rank_token(const Call& call) {
  NormRankTokenList::with(call.contract(), [&](auto rules) { run_rms_norm_quant_token<decltype(rules)>(call); });
}

void run_norm_rank_group(const Call& call) {
  NormRankGroupList::with(call.contract(), [&](auto rules) { run_rms_norm_quant_group<decltype(rules)>(call); });
}

}  // namespace assay_kernels
