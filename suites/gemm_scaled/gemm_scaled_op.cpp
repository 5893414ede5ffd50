#include "suites/gemm/gemm_op.h"
#include "suites/registry.h"

namespace assay {

Op gemm_scaled_op() {
  return gemm_op({.name = "gemm_scaled",
                  .scales = {{"scale_a", Access::kIn, "[1] or [m] f32: the scale of a, or of each of its rows"},
                             {"scale_b", Access::kIn, "[1] or [n] f32: the scale of b, or of each of its rows"}},
                  .columns = {"contract", "m", "n", "k", "fill", "b", "scales", "scale", "y", "bias", "azp", "gap", "seed", "warp"},
                  .optional_columns = {"bias", "azp", "gap"}});
}

}  // namespace assay
