#include "suites/ops.h"
#include "suites/rows/roles.h"
#include "suites/rows/row_op.h"
#include "suites/rows/tensors.h"

namespace assay {
namespace {

void require(const Case& c) {
  require_chain(c, "row_norm");
  require_sharing(c, Sharing::kGiven);
}

Problem problem(const RowCase& p) {
  const Format& q = code_format(p);
  Problem made{{input_matrix(p, q), input_gamma(p), input_scale(p), output_matrix("q", p, q)},
               {{"eps", p.eps}, {"warp", double(p.warp)}}};
  if (!p.residual.empty()) made.tensors.push_back(in_place_residual(p));
  return made;
}

}  // namespace

Op rms_norm_quant_static_op() {
  return bindable(row_op({.name = "rms_norm_quant_static",
                 .roles = {roles::kX, roles::kResidual, roles::kGamma, roles::kScaleGiven, roles::kQ},
                 .parameters = {roles::kEps, roles::kWarp},
                 .columns = {"contract", "x", "m", "n", "row_stride", "offset", "group_size", "layout", "eps", "fill", "residual", "gamma", "scale", "seed", "warp"},
                 .optional_columns = {"row_stride", "offset", "residual"},
                 .require = require,
                 .problem = problem}));
}

}  // namespace assay
