#include "suites/qk_norm_rope/head_case.h"
#include "suites/registry.h"

namespace assay {

Op q_norm_rope_op() {
  return head_op("q_norm_rope",
                 {{"q", Access::kIn, "[m, q_heads n]: the heads of Q"},
                  {"q_out", Access::kOut, "[m, padded_heads n]: the heads of Q, then padding heads of +0.0"}},
                 {},
                 {"contract", "x", "m", "q_heads", "padded_heads", "n", "rotary", "cache", "max_position", "eps", "fill",
                  "positions", "seed", "warp"});
}

}  // namespace assay
