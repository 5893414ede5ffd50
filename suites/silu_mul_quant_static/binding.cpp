#include "suites/ops.h"
#include "suites/rows/roles.h"
#include "suites/rows/row_op.h"
#include "suites/rows/tensors.h"

namespace assay {
namespace {

void require(const Case& c) {
  require_chain(c, "gated");
  require_sharing(c, Sharing::kGiven);
}

Problem problem(const RowCase& p) {
  const Format& q = code_format(p);
  return {{input_halves(p, q), input_scale(p), output_matrix("q", p, q)}, {{"warp", double(p.warp)}}};
}

}  // namespace

Op silu_mul_quant_static_op() {
  return bindable(row_op({.name = "silu_mul_quant_static",
                 .roles = {roles::kHalves, roles::kScaleGiven, roles::kQ},
                 .parameters = {roles::kWarp},
                 .columns = {"contract", "x", "m", "n", "group_size", "layout", "fill", "up", "scale", "seed", "warp"},
                 .optional_columns = {},
                 .require = require,
                 .problem = problem}));
}

}  // namespace assay
