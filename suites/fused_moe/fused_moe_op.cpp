#include "suites/gemm/gemm_op.h"
#include "suites/registry.h"

namespace assay {

Op fused_moe_op() {
  return gemm_op({.name = "fused_moe",
                  .of_blocks = true,
                  .scales = {{"scale_a", Access::kIn, "block scales: [m, k / 128] f32, in the case's layout; other scales: [1] or [m] f32"},
                             {"scale_b", Access::kIn, "block scales: [experts, n / 128, k / 128] f32; other scales: f32, one for each expert [experts], or for each row of its weights [experts * n]"}},
                  .columns = {"contract", "tokens", "absent", "topk", "block_m", "order", "n", "k", "fill", "b", "scales", "scale", "layout_a", "layout_b", "bias", "weights", "y", "seed", "warp"},
                  .optional_columns = {"absent", "layout_a", "layout_b", "bias", "weights"},
                  .experts = {{"sorted_token_ids", Access::kIn, "[blocks * block_m] int32: the slots of each block; padding entries hold the number of slots, m * top_k"},
                              {"expert_ids", Access::kIn, "[blocks] int32: the expert of each block; -1: its weights are on another device"},
                              {"num_tokens_post_padded", Access::kIn, "[1] int32: how many entries of sorted_token_ids are in use, in whole blocks; later blocks are not computed"}},
                  .sorted_ids = true});
}

}  // namespace assay
