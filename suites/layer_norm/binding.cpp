#include "suites/ops.h"
#include "suites/rows/roles.h"
#include "suites/rows/row_op.h"
#include "suites/rows/tensors.h"

namespace assay {
namespace {

void require(const Case& c) {
  require_flow(c, "row_norm");
  require_mean(c);
}

Problem problem(const RowCase& p) {
  const Format& q = code_format(p);
  return {{input_matrix(p, q), input_gamma(p), input_beta(p), output_matrix("y", p, *p.x)},
          {{"eps", p.eps}, {"warp", double(p.warp)}}};
}

}  // namespace

Op layer_norm_op() {
  return bindable(row_op({.name = "layer_norm",
                 .roles = {roles::kX, roles::kGamma, roles::kBeta, roles::kY},
                 .parameters = {roles::kEps, roles::kWarp},
                 .columns = {"contract", "x", "weights", "m", "n", "row_stride", "offset", "eps", "fill", "gamma", "beta", "seed", "warp"},
                 .optional_columns = {"row_stride", "offset"},
                 .require = require,
                 .problem = problem}));
}

}  // namespace assay
