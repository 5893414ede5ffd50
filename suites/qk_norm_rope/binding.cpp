#include "suites/ops.h"
#include "suites/qk_norm_rope/head_op.h"

namespace assay {

Op qk_norm_rope_op() {
  return head_op("qk_norm_rope",
                 {{"qkv", Access::kInOut, "[m, (q_heads + k_heads + v_heads) n]: the heads of Q, then of K, then of V, which stay as they are"},
                  {"q_weight", Access::kIn, "[n]: the weights of every head of Q"},
                  {"k_weight", Access::kIn, "[n]: the weights of every head of K"}},
                 {{"k_heads", "heads of K in a row"}, {"v_heads", "heads of V in a row"}},
                 {"contract", "x", "m", "q_heads", "k_heads", "v_heads", "n", "rotary", "cache", "max_position", "eps", "fill",
                  "gamma", "positions", "seed", "warp"});
}

}  // namespace assay
