#include "suites/registry.h"
#include "suites/rows/row_op.h"

namespace assay {

Op silu_mul_quant_masked_op() {
  return row_op({.name = "silu_mul_quant_masked",
                 .chain = RowChain({gated_stage(), quant_stage({.tiles = true, .outer = true})}, Experts::kInRooms),
                 .columns = {"contract", "x", "tokens", "room", "n", "row_stride", "group_size", "layout", "fill", "up", "global_scale", "seed",
                             "warp"},
                 .optional_columns = {"row_stride", "global_scale"},
                 .independent_rows = false});
}

}  // namespace assay
