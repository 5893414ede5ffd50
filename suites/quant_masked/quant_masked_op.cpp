#include "suites/registry.h"
#include "suites/rows/row_op.h"

namespace assay {

Op quant_masked_op() {
  return row_op({.name = "quant_masked",
                 .chain = RowChain({quant_stage({.tiles = true, .outer = true})}, Experts::kInRooms),
                 .columns = {"contract", "x", "tokens", "room", "n", "group_size", "layout", "fill", "global_scale", "seed", "warp"},
                 .optional_columns = {"global_scale"},
                 .independent_rows = false});
}

}  // namespace assay
