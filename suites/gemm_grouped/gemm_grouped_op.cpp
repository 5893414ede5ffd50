#include "suites/gemm/gemm_op.h"
#include "suites/registry.h"

namespace assay {

Op gemm_grouped_op() {
  return gemm_op({.name = "gemm_grouped",
                  .of_blocks = true,
                  .scales = {{"scale_a", Access::kIn, "If the contract's cell `experts` is `by index`: [m, k / 128] f32, in the case's layout. If it is `masked`: [experts, room, k / 128] f32, each expert separately in that layout. Scales in tiles: [tiles of all experts * 128, k / 32 in whole tiles] e8m0fnu, or for NVFP4 [.., k / 16 in whole tiles] e4m3fn; each expert begins with a new tile. Other layouts: [1] or [m] f32"},
                             {"scale_b", Access::kIn, "If the contract's cell `experts` is `by index` or `masked`: [experts, n / 128, k / 128] f32, one scale for a block of 128 x 128 weights. Scales in tiles: [experts, n, k / 32 in whole tiles] e8m0fnu, or [experts, n, k / 16 in whole tiles] e4m3fn. Other layouts: f32, one for each expert [experts], or for each row of its weights [experts * n]"}},
                  .columns = {"contract", "tokens", "room", "align", "order", "n", "k", "fill", "b", "scales", "scale", "layout_a", "layout_b", "absent", "gap", "y", "padding", "c", "seed", "warp"},
                  .optional_columns = {"room", "align", "order", "layout_a", "layout_b", "absent", "gap", "padding", "c"},
                  .experts = roles_of_experts()});
}

}  // namespace assay
