#include "suites/all_reduce_add_rms_norm/fused_case.h"
#include "suites/registry.h"

namespace assay {

Op all_reduce_add_rms_norm_op() {
  return fused_op("all_reduce_add_rms_norm", RowChain({norm_stage({.residual = Has::kAlways})}),
                  {{"y", Access::kOut, "[m, n] of each rank in the format of x: the normalized sum"}},
                  {"contract", "ranks", "x", "m", "n", "eps", "topk", "ids", "fill", "residual", "gamma", "router_weights",
                   "factor", "padding", "shared", "before", "seed", "warp"},
                  {"topk", "ids", "router_weights", "factor", "padding", "shared", "before"}, true);
}

}  // namespace assay
