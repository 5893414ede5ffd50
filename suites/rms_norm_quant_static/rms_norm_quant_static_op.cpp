#include "suites/registry.h"
#include "suites/rows/row_op.h"

namespace assay {

Op rms_norm_quant_static_op() {
  return row_op({.name = "rms_norm_quant_static",
                 .chain = RowChain({norm_stage({.residual = Has::kSometimes}), quant_stage({.scales = {.given = true}})}),
                 .columns = {"contract", "x", "m", "n", "row_stride", "offset", "unaligned", "group_size", "layout", "eps",
                             "fill", "residual", "gamma", "scale", "seed", "warp"},
                 .optional_columns = {"row_stride", "offset", "unaligned", "residual"}});
}

}  // namespace assay
