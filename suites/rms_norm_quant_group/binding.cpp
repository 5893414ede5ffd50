#include "suites/rms_norm_quant_group/binding.h"

#include "suites/rows/row_op.h"
#include "suites/rows/tensors.h"

namespace assay {
namespace {

Case validate(Case c) {
  require_chain(c, "row_norm");
  c.id = row_id(c, read_row_case(c));
  return c;
}

Problem problem(const Case& c) {
  const RowCase p = read_row_case(c);
  const Format& q = code_format(p);
  return {{input_matrix(p, q), input_gamma(p), output_matrix("q", p, q), output_scale(p)},
          {{"group_size", double(p.group_size)}, {"eps", p.eps}, {"warp", double(p.warp)}}};
}

}  // namespace

Op rms_norm_quant_group_op() {
  return row_op("rms_norm_quant_group",
                {"contract", "x", "m", "n", "group_size", "layout", "eps", "fill", "gamma", "seed", "warp"}, validate, problem);
}

}  // namespace assay
