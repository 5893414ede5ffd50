#include "suites/gemm/gemm_op.h"
#include "suites/registry.h"

namespace assay {

Op gemm_grouped_op() {
  return gemm_op({.name = "gemm_grouped",
                  .of_blocks = true,
                  .scales = {{"scale_a", Access::kIn, "experts by index: [m, k / 128] f32, placed by the case's layout; masked experts: [experts, room, k / 128] f32, where each expert has the layout for itself"},
                             {"scale_b", Access::kIn, "[experts, n / 128, k / 128] f32: one scale for 128 rows of an expert's weights and 128 elements of a row"}},
                  .columns = {"contract", "tokens", "room", "order", "n", "k", "fill", "b", "scales", "scale", "layout_a", "layout_b", "y", "padding", "seed", "warp"},
                  .optional_columns = {"room", "order", "padding"},
                  .experts = {role_of_experts(GroupOrder::kByIndex), role_of_experts(GroupOrder::kMasked)}});
}

}  // namespace assay
