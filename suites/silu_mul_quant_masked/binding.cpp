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

/// [experts, room, columns]: the experts' grids one after the other.
HostTensor output_scales(const RowCase& c) {
  HostTensor scale = output_scale(c);
  const auto experts = int64_t(c.tokens.size());
  const std::vector<int64_t> of_one = scale.spec.strides;
  scale.spec.shape = {experts, c.room, scale.spec.shape[1]};
  scale.spec.strides = {scale.spec.storage / experts, of_one[0], of_one[1]};
  return scale;
}

Problem problem(const RowCase& p) {
  const Format& q = code_format(p);
  return {{input_halves(p, q), input_integers("tokens", p.tokens), output_matrix("q", p, q), output_scales(p)},
          {{"group_size", double(p.group_size)}, {"warp", double(p.warp)}}};
}

}  // namespace

Op silu_mul_quant_masked_op() {
  CallbackOp op = row_op({.name = "silu_mul_quant_masked",
                 .roles = {roles::kQ, roles::kScale},
                 .parameters = {roles::kGroupSize, roles::kWarp},
                 .columns = {"contract", "x", "tokens", "room", "n", "group_size", "layout", "fill", "up", "seed", "warp"},
                 .optional_columns = {},
                 .require = require,
                 .problem = problem});
  op.roles.insert(op.roles.begin(), {{"x", Access::kIn, "[experts room, 2 n]: a gate and an up half in each row; rows from an expert's tokens on are unused"},
                                     {"tokens", Access::kIn, "[experts] int32: rows in use, of the room that each expert has"}});
  op.excerpt = [](Case c) { return c; };  // its size is that of its experts
  op.batch.reset();                       // rows are taken out of their experts' room, not out of a batch
  return bindable(std::move(op));
}

}  // namespace assay
