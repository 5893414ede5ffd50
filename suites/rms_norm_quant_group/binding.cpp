#include "suites/rms_norm_quant_group/binding.h"

#include "suites/rows/row_op.h"
#include "suites/rows/tensors.h"

namespace assay {
namespace {

void require(const Case& c) { require_chain(c, "row_norm"); }

Problem problem(const RowCase& p) {
  const Format& q = code_format(p);
  return {{input_matrix(p, q), input_gamma(p), output_matrix("q", p, q), output_scale(p)},
          {{"group_size", double(p.group_size)}, {"eps", p.eps}, {"warp", double(p.warp)}}};
}

}  // namespace

Op rms_norm_quant_group_op() {
  return row_op("rms_norm_quant_group",
                {"contract", "x", "m", "n", "group_size", "layout", "eps", "fill", "gamma", "seed", "warp"}, require, problem);
}

}  // namespace assay
