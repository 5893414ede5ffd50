#include "suites/silu_mul_quant_static/binding.h"

#include "suites/rows/row_op.h"
#include "suites/rows/tensors.h"

namespace assay {
namespace {

Case validate(Case c) {
  require_chain(c, "gated");
  require_sharing(c, Sharing::kGiven);
  c.id = row_id(c, read_row_case(c));
  return c;
}

Problem problem(const Case& c) {
  const RowCase p = read_row_case(c);
  const Format& q = code_format(p);
  return {{input_halves(p, q), input_scale(p), output_matrix("q", p, q)}, {{"warp", double(p.warp)}}};
}

}  // namespace

Op silu_mul_quant_static_op() {
  return row_op("silu_mul_quant_static",
                {"contract", "x", "m", "n", "group_size", "layout", "fill", "up", "scale", "seed", "warp"}, validate, problem);
}

}  // namespace assay
