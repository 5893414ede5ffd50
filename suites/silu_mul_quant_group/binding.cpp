#include "suites/ops.h"
#include "suites/rows/row_op.h"

namespace assay {

Op silu_mul_quant_group_op() {
  return row_op({.name = "silu_mul_quant_group",
                 .chain = RowChain({gated_stage(), quant_stage({.tiles = true, .bound = true})}),
                 .columns = {"contract", "x", "m", "n", "group_size", "layout", "scale_ub", "fill", "up", "seed", "warp"},
                 .optional_columns = {"scale_ub"}});
}

}  // namespace assay
