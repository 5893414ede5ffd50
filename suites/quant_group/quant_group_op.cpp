#include "suites/registry.h"
#include "suites/rows/row_op.h"

namespace assay {

Op quant_group_op() {
  return row_op({.name = "quant_group",
                 .chain = RowChain({quant_stage({.tiles = true, .bound = true, .outer = true})}),
                 .columns = {"contract", "x", "m", "n", "row_stride", "group_size", "layout", "scale_ub", "fill", "global_scale",
                             "seed", "warp"},
                 .optional_columns = {"row_stride", "scale_ub", "global_scale"}});
}

}  // namespace assay
