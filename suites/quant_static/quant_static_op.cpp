#include "suites/registry.h"
#include "suites/rows/row_op.h"

namespace assay {

Op quant_static_op() {
  return row_op(
      {.name = "quant_static",
       .chain = RowChain({quant_stage({.scales = {.given = true}, .zero_points = true})}),
       .columns = {"contract", "x", "m", "n", "row_stride", "group_size", "layout", "fill", "scale", "azp", "seed", "warp"},
       .optional_columns = {"row_stride", "azp"},
       .independent_rows = false});
}

}  // namespace assay
