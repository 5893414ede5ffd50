#include "suites/ops.h"
#include "suites/rows/roles.h"
#include "suites/rows/row_op.h"
#include "suites/rows/tensors.h"

namespace assay {
namespace {

void require(const Case& c) {
  require_flow(c, "group_quant");
  require_sharing(c, Sharing::kAcrossRows);
}

Problem problem(const RowCase& p) {
  const Format& q = code_format(p);
  return {{input_matrix(p, q), output_matrix("q", p, q), output_scale(p)},
          {{"group_rows", double(p.group_rows)}, {"group_size", double(p.group_size)}, {"warp", double(p.warp)}}};
}

}  // namespace

Op quant_tile_op() {
  CallbackOp op = row_op({.name = "quant_tile",
                 .roles = {roles::kX, roles::kQ, roles::kScale},
                 .parameters = {roles::kGroupRows, roles::kGroupSize, roles::kWarp},
                 .columns = {"contract", "x", "m", "n", "group_size", "layout", "fill", "seed", "warp"},
                 .optional_columns = {},
                 .require = require,
                 .problem = problem});
  op.batch.reset();  // a row's codes depend on the others'
  return bindable(std::move(op));
}

}  // namespace assay
