#include "suites/registry.h"
#include "suites/rows/row_op.h"

namespace assay {

Op rms_norm_quant_group_op() {
  return row_op({.name = "rms_norm_quant_group",
                 .chain = RowChain({norm_stage({.residual = Has::kSometimes, .gate = Has::kSometimes}),
                                    quant_stage({.tiles = true, .bound = true, .outer = true})}),
                 .columns = {"contract", "x", "m", "n", "row_stride", "offset", "unaligned", "group_size", "layout", "eps",
                             "scale_ub", "fill", "residual", "gamma", "gate", "global_scale", "seed", "warp"},
                 .optional_columns = {"row_stride", "offset", "unaligned", "scale_ub", "residual", "gate", "global_scale"}});
}

}  // namespace assay
