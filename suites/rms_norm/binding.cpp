#include "suites/rms_norm/binding.h"

#include "suites/rows/row_op.h"
#include "suites/rows/tensors.h"

namespace assay {
namespace {

Case validate(Case c) {
  require_flow(c, "row_norm");
  const RowCase p = read_row_case(c);
  c.id = c.op + "/" + p.contract + "/" + shape_id(p) + ".eps" + c.text("eps") + "/" + p.fill + "." + p.gamma + ".s" + std::to_string(p.seed) + "/w" + std::to_string(p.warp);
  return c;
}

Problem problem(const Case& c) {
  const RowCase p = read_row_case(c);
  const Format& q = code_format(p);
  return {{input_matrix(p, q), input_gamma(p), output_matrix("y", p, *p.x)}, {{"eps", p.eps}, {"warp", double(p.warp)}}};
}

}  // namespace

Op rms_norm_op() {
  return row_op("rms_norm", {"contract", "x", "m", "n", "eps", "fill", "gamma", "seed", "warp"}, validate, problem);
}

}  // namespace assay
