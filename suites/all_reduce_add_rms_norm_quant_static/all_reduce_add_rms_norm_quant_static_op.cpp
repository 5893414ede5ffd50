#include "suites/all_reduce_add_rms_norm/fused_case.h"
#include "suites/registry.h"

namespace assay {

Op all_reduce_add_rms_norm_quant_static_op() {
  return fused_op("all_reduce_add_rms_norm_quant_static",
                  RowChain({norm_stage({.residual = Has::kAlways}), quant_stage({.scales = {.given = true}})}),
                  {{"scale", Access::kIn, "[1, 1] of each rank, equal on all ranks: the scale of all elements"},
                   {"q", Access::kOut, "[m, n] of each rank: codes of the normalized sum"}},
                  {"contract", "ranks", "x", "m", "n", "group_size", "layout", "eps", "fill", "residual", "gamma", "scale",
                   "before", "seed", "warp"});
}

}  // namespace assay
