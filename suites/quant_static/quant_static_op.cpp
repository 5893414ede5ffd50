#include "suites/registry.h"
#include "suites/rows/row_op.h"

namespace assay {

Op quant_static_op() {
  return row_op({.name = "quant_static",
                 .chain = RowChain({quant_stage({.scales = {.given = true}, .zero_points = true})}),
                 .columns = {"contract", "x", "m", "n", "group_size", "layout", "fill", "scale", "azp", "seed", "warp"},
                 .optional_columns = {"azp"},
                 .independent_rows = false});
}

}  // namespace assay
