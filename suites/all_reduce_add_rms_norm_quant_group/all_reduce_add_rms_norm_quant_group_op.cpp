#include "suites/all_reduce_add_rms_norm/fused_case.h"
#include "suites/registry.h"

namespace assay {

Op all_reduce_add_rms_norm_quant_group_op() {
  return fused_op("all_reduce_add_rms_norm_quant_group",
                  RowChain({norm_stage({.residual = Has::kAlways}), quant_stage({.tiles = true, .outer = true})}),
                  {roles::kGlobalScale,
                   {"q", Access::kOut, "[m, n] of each rank: codes of the normalized sum"},
                   {"scale", Access::kOut, "on each rank: one scale for each group of a row, or for each row"}},
                  {"contract", "ranks", "x", "m", "n", "group_size", "layout", "eps", "fill", "residual", "gamma", "global_scale",
                   "before", "seed", "warp"},
                  {"before", "global_scale"});
}

}  // namespace assay
