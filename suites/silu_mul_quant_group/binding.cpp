#include "suites/ops.h"
#include "suites/rows/roles.h"
#include "suites/rows/row_op.h"
#include "suites/rows/tensors.h"

namespace assay {
namespace {

void require(const Case& c) {
  require_chain(c, "gated");
  require_sharing(c, Sharing::kInRow);
}

Problem problem(const RowCase& p) {
  const Format& q = code_format(p);
  Problem made{{input_halves(p, q), output_matrix("q", p, q), output_scale(p)},
               {{"group_size", double(p.group_size)}, {"warp", double(p.warp)}}};
  name_tiles(p, made);
  if (std::isfinite(p.scale_ub)) made.parameters.emplace_back("scale_ub", p.scale_ub);
  return made;
}

}  // namespace

Op silu_mul_quant_group_op() {
  return bindable(row_op({.name = "silu_mul_quant_group",
                 .roles = {roles::kHalves, roles::kQ, roles::kScale},
                 .parameters = {roles::kGroupSize, roles::kTileRows, roles::kTileColumns, roles::kScaleUb, roles::kWarp},
                 .columns = {"contract", "x", "m", "n", "group_size", "layout", "scale_ub", "fill", "up", "seed", "warp"},
                 .optional_columns = {"scale_ub"},
                 .require = require,
                 .problem = problem}));
}

}  // namespace assay
