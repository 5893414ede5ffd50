#include "suites/registry.h"
#include "suites/rows/row_op.h"

namespace assay {

Op layer_norm_op() {
  return row_op({.name = "layer_norm",
                 .chain = RowChain({norm_stage({.beta = true})}),
                 .columns = {"contract", "x", "weights", "m", "n", "row_stride", "offset", "unaligned", "eps", "fill",
                             "gamma", "beta", "seed", "warp"},
                 .optional_columns = {"row_stride", "offset", "unaligned"}});
}

}  // namespace assay
