#include "suites/registry.h"
#include "suites/rows/row_op.h"

namespace assay {

Op quant_tile_op() {
  return row_op({.name = "quant_tile",
                 .chain = RowChain({quant_stage({.scales = {.across_rows = true}})}),
                 .columns = {"contract", "x", "m", "n", "row_stride", "group_size", "layout", "fill", "seed", "warp"},
                 .optional_columns = {"row_stride"},
                 .independent_rows = false});
}

}  // namespace assay
