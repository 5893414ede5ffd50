#include "suites/ops.h"
#include "suites/rows/places.h"
#include "suites/rows/roles.h"
#include "suites/rows/row_op.h"
#include "suites/rows/tensors.h"

namespace assay {
namespace {

void require(const Case& c) {
  require_flow(c, "group_quant");
  require_sharing(c, Sharing::kInRow);
}

Problem problem(const RowCase& p) {
  const Format& q = code_format(p);
  std::vector<int64_t> first_rows = {0};
  for (int64_t count : p.tokens) first_rows.push_back(first_rows.back() + count);
  Problem made{
      {input_matrix(p, q), input_integers("expert_offsets", first_rows),
       input_integers("blockscale_offsets", ScalePlaces(p).first_rows_of_tiles()), output_matrix("q", p, q), output_scale(p)},
      {{"group_size", double(p.group_size)}, {"warp", double(p.warp)}}};
  name_tiles(p, made);
  return made;
}

}  // namespace

Op quant_experts_op() {
  CallbackOp op = row_op({.name = "quant_experts",
                 .roles = {roles::kX, roles::kQ, roles::kScale},
                 .parameters = {roles::kGroupSize, roles::kTileRows, roles::kTileColumns, roles::kWarp},
                 .columns = {"contract", "x", "tokens", "n", "group_size", "layout", "fill", "seed", "warp"},
                 .optional_columns = {},
                 .require = require,
                 .problem = problem});
  op.roles.push_back({"expert_offsets", Access::kIn, "[experts + 1] int32: the row of x and q where each expert begins, and their number"});
  op.roles.push_back({"blockscale_offsets", Access::kIn, "[experts + 1] int32: the row of scales, whole tiles, where each expert begins, and their number"});
  op.batch.reset();  // where a row's scales lie depends on the rows before it
  return bindable(std::move(op));
}

}  // namespace assay
