#include "suites/ops.h"
#include "suites/rows/roles.h"
#include "suites/rows/row_op.h"
#include "suites/rows/tensors.h"

namespace assay {
namespace {

void require(const Case& c) {
  require_flow(c, "quant_azp");
  require_sharing(c, Sharing::kInRow);
}

Problem problem(const RowCase& p) {
  const Format& q = code_format(p);
  return {{input_matrix(p, q), output_matrix("q", p, q), output_scale(p), output_zero(p)},
          {{"group_size", double(p.group_size)}, {"warp", double(p.warp)}}};
}

}  // namespace

Op quant_azp_op() {
  return bindable(row_op({.name = "quant_azp",
                 .roles = {roles::kX, roles::kQ, roles::kScale, roles::kAzp},
                 .parameters = {roles::kGroupSize, roles::kWarp},
                 .columns = {"contract", "x", "m", "n", "group_size", "layout", "fill", "seed", "warp"},
                 .optional_columns = {},
                 .require = require,
                 .problem = problem}));
}

}  // namespace assay
