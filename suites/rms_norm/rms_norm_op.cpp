#include "suites/registry.h"
#include "suites/rows/row_op.h"

namespace assay {

Op rms_norm_op() {
  return row_op({.name = "rms_norm",
                 .chain = RowChain({norm_stage()}),
                 .columns = {"contract", "x", "m", "n", "row_stride", "offset", "unaligned", "eps", "fill", "gamma", "seed",
                             "warp"},
                 .optional_columns = {"row_stride", "offset", "unaligned"}});
}

}  // namespace assay
