#include "suites/registry.h"
#include "suites/rows/row_op.h"

namespace assay {

Op fused_add_rms_norm_op() {
  return row_op({.name = "fused_add_rms_norm",
                 .chain = RowChain({norm_stage({.residual = Has::kAlways})}),
                 .columns = {"contract", "x", "m", "n", "row_stride", "offset", "unaligned", "eps", "fill",
                             "residual", "gamma", "seed", "warp"},
                 .optional_columns = {"row_stride", "offset", "unaligned"}});
}

}  // namespace assay
