#include "suites/ops.h"
#include "suites/rows/roles.h"
#include "suites/rows/row_op.h"
#include "suites/rows/stored_y.h"
#include "suites/rows/tensors.h"

namespace assay {
namespace {

void require(const Case& c) {
  require_flow(c, "row_norm");
  require_residual(c);
  require_stored_y(c);
}

Problem problem(const RowCase& p) {
  return {{input_matrix(p, code_format(p)), in_place_residual(p), input_gamma(p), output_matrix("y", p, *p.x)},
          {{"eps", p.eps}, {"warp", double(p.warp)}}};
}

}  // namespace

Op fused_add_rms_norm_op() {
  return bindable(row_op({.name = "fused_add_rms_norm",
                 .roles = {roles::kX, roles::kResidual, roles::kGamma, roles::kY},
                 .parameters = {roles::kEps, roles::kWarp},
                 .columns = {"contract", "x", "m", "n", "row_stride", "offset", "eps", "fill", "residual", "gamma", "seed", "warp"},
                 .optional_columns = {"row_stride", "offset"},
                 .require = require,
                 .problem = problem}));
}

}  // namespace assay
