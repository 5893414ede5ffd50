#include "suites/registry.h"
#include "suites/rows/row_op.h"

namespace assay {

Op act_and_mul_op() {
  return row_op({.name = "act_and_mul",
                 .chain = RowChain({gated_stage()}),
                 .columns = {"contract", "x", "m", "n", "offset", "unaligned", "fill", "up", "seed", "warp"},
                 .optional_columns = {"offset", "unaligned"}});
}

}  // namespace assay
