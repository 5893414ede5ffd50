#include "reference/flow/flow.h"
#include "suites/ops.h"
#include "suites/rows/cells.h"
#include "suites/rows/roles.h"
#include "suites/rows/row_op.h"
#include "suites/rows/tensors.h"

namespace assay {
namespace {

void require(const Case& c) {
  const ContractRow& row = Cells(c).contract();
  if (row.flow->kind == FlowKind::kChain) Cells(c).refuse("contract", "'" + row.id + "' is a chain of steps and this op is a quantization alone");
  require_sharing(c, Sharing::kGiven);
}

Problem problem(const RowCase& p) {
  const Format& q = code_format(p);
  Problem made{{input_matrix(p, q), input_scale(p)},
               {{"group_rows", double(p.group_rows)}, {"group_size", double(p.group_size)}, {"warp", double(p.warp)}}};
  if (!p.zero_fill.empty()) made.tensors.push_back(input_zero(p));
  made.tensors.push_back(output_matrix("q", p, q));
  return made;
}

}  // namespace

Op quant_static_op() {
  CallbackOp op = row_op({.name = "quant_static",
                 .roles = {roles::kX, roles::kScaleGiven, roles::kAzpGiven, roles::kQ},
                 .parameters = {roles::kGroupRows, roles::kGroupSize, roles::kWarp},
                 .columns = {"contract", "x", "m", "n", "group_size", "layout", "fill", "scale", "azp", "seed", "warp"},
                 .optional_columns = {"azp"},
                 .require = require,
                 .problem = problem});
  op.batch.reset();  // rows have scales of their own
  return bindable(std::move(op));
}

}  // namespace assay
