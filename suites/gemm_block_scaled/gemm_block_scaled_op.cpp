#include "suites/gemm/gemm_op.h"
#include "suites/registry.h"

namespace assay {

Op gemm_block_scaled_op() {
  return gemm_op({.name = "gemm_block_scaled",
                  .of_blocks = true,
                  .scales = {{"scale_a", Access::kIn, "in the case's layout; one f32 for 128 elements of a row: [m, k / 128]. Packed contracts: [m, k / 512] int32, each of four UE8M0 bytes. MXFP8 and MXFP4: [m, k / 32] UE8M0 bytes in tiles of 128 x 4. NVFP4: [m, k / 16] E4M3 bytes in such tiles"},
                             {"scale_b", Access::kIn, "[n / 128, k / 128] or [n, k / 128] f32: the scales of b; in other formats as scale_a, for the rows of b"}},
                  .columns = {"contract", "m", "n", "k", "fill", "b", "scales", "scale", "layout_a", "layout_b", "absent", "gap", "y", "bias", "c", "seed", "warp"},
                  .optional_columns = {"absent", "gap", "bias", "c"}});
}

}  // namespace assay
