#include "suites/gemm/gemm_op.h"
#include "suites/ops.h"

namespace assay {

Op gemm_block_scaled_op() {
  return gemm_op({.name = "gemm_block_scaled",
                  .of_blocks = true,
                  .scales = {{"scale_a", Access::kIn, "[m, k / 128] f32, where the case's layout puts it: the scale of 128 products of a row; of packed contracts [m, k / 512] int32, four UE8M0 bytes a word; of MX [m, k / 32] UE8M0 bytes in tiles of 128 x 4"},
                             {"scale_b", Access::kIn, "[n / 128, k / 128] or [n, k / 128] f32, likewise of b"}},
                  .columns = {"contract", "m", "n", "k", "fill", "b", "scales", "scale", "layout_a", "layout_b", "y", "c", "seed", "warp"},
                  .optional_columns = {"c"}});
}

}  // namespace assay
