#include "suites/silu_mul_quant_group/binding.h"

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
  if (std::isfinite(p.scale_ub)) made.parameters.emplace_back("scale_ub", p.scale_ub);
  return made;
}

}  // namespace

Op silu_mul_quant_group_op() {
  Op op = row_op("silu_mul_quant_group",
                 {"contract", "x", "m", "n", "group_size", "layout", "scale_ub", "fill", "up", "seed", "warp"}, require, problem);
  op.optional_columns = {"scale_ub"};
  return op;
}

}  // namespace assay
