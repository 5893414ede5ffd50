#include "suites/registry.h"
#include "suites/rows/row_op.h"

namespace assay {

Op quant_azp_op() {
  return row_op({.name = "quant_azp",
                 .chain = RowChain({quant_stage({.zero_points = true})}),
                 .columns = {"contract", "x", "m", "n", "group_size", "layout", "fill", "seed", "warp"}});
}

}  // namespace assay
