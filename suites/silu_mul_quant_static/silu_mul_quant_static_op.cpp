#include "suites/registry.h"
#include "suites/rows/row_op.h"

namespace assay {

Op silu_mul_quant_static_op() {
  return row_op({.name = "silu_mul_quant_static",
                 .chain = RowChain({gated_stage(), quant_stage({.scales = {.given = true}})}),
                 .columns = {"contract", "x", "m", "n", "group_size", "layout", "fill", "up", "scale", "seed", "warp"}});
}

}  // namespace assay
