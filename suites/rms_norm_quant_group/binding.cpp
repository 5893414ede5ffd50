#include "suites/ops.h"
#include "suites/rows/roles.h"
#include "suites/rows/row_op.h"
#include "suites/rows/tensors.h"

namespace assay {
namespace {

void require(const Case& c) {
  require_chain(c, "row_norm");
  require_sharing(c, Sharing::kInRow);
}

Problem problem(const RowCase& p) {
  const Format& q = code_format(p);
  Problem made{{input_matrix(p, q), input_gamma(p), output_matrix("q", p, q), output_scale(p)},
               {{"group_size", double(p.group_size)}, {"eps", p.eps}, {"warp", double(p.warp)}}};
  if (!p.residual.empty()) made.tensors.push_back(in_place_residual(p));
  if (!p.gate.empty()) made.tensors.push_back(input_gate(p));
  name_tiles(p, made);
  if (std::isfinite(p.scale_ub)) made.parameters.emplace_back("scale_ub", p.scale_ub);
  return made;
}

}  // namespace

Op rms_norm_quant_group_op() {
  return bindable(row_op(
      {.name = "rms_norm_quant_group",
       .roles = {roles::kX, roles::kResidual, roles::kGamma, roles::kGate, roles::kQ, roles::kScale},
       .parameters = {roles::kGroupSize, roles::kTileRows, roles::kTileColumns, roles::kEps, roles::kScaleUb, roles::kWarp},
       .columns = {"contract", "x", "m", "n", "row_stride", "offset", "group_size", "layout", "eps", "scale_ub", "fill",
                   "residual", "gamma", "gate", "seed", "warp"},
       .optional_columns = {"row_stride", "offset", "scale_ub", "residual", "gate"},
       .require = require,
       .problem = problem}));
}

}  // namespace assay
