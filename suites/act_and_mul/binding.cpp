#include "suites/ops.h"
#include "suites/rows/roles.h"
#include "suites/rows/row_op.h"
#include "suites/rows/stored_y.h"
#include "suites/rows/tensors.h"

namespace assay {
namespace {

void require(const Case& c) {
  require_flow(c, "gated");
  require_stored_y(c);
}

Problem problem(const RowCase& p) { return {{input_halves(p, *p.x), output_matrix("y", p, *p.x)}, {{"warp", double(p.warp)}}}; }

}  // namespace

Op act_and_mul_op() {
  return bindable(row_op({.name = "act_and_mul",
                 .roles = {roles::kHalves, roles::kY},
                 .parameters = {roles::kWarp},
                 .columns = {"contract", "x", "m", "n", "fill", "up", "seed", "warp"},
                 .optional_columns = {},
                 .require = require,
                 .problem = problem}));
}

}  // namespace assay
