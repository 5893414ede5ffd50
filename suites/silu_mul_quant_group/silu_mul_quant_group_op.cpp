#include "suites/registry.h"
#include "suites/rows/row_op.h"

namespace assay {

Op silu_mul_quant_group_op() {
  return row_op(
      {.name = "silu_mul_quant_group",
       .chain = RowChain({gated_stage(), quant_stage({.tiles = true, .bound = true, .outer = true})}),
       .columns = {"contract", "x", "m", "n", "group_size", "layout", "scale_ub", "fill", "up", "global_scale", "seed", "warp"},
       .optional_columns = {"scale_ub", "global_scale"}});
}

}  // namespace assay
