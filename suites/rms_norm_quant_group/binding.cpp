#include "suites/rms_norm_quant_group/binding.h"

#include "suites/rows/expect.h"
#include "suites/rows/tensors.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

Case validate(Case c) {
  const RowCase p = read_row_case(c);
  require_flow(c, "chain");
  c.id = c.op + "/" + p.contract + "/" + shape_id(p) + ".eps" + c.text("eps") + "/" + p.fill + "." + p.gamma + ".s" + std::to_string(p.seed) + "/w" + std::to_string(p.warp);
  return c;
}

Problem problem(const Case& c) {
  const RowCase p = read_row_case(c);
  const Format& q = code_format(p);
  return {{input_matrix(p, q), input_gamma(p), output_matrix("q", p, q), output_scale(p)}, {{"group_size", double(p.group_size)}, {"eps", p.eps}, {"warp", double(p.warp)}}};
}

}  // namespace

Op rms_norm_quant_group_op() {
  return {.name = "rms_norm_quant_group",
          .columns = {"contract", "x", "m", "n", "group_size", "layout", "eps", "fill", "gamma", "seed", "warp"},
          .validate = validate,
          .problem = problem,
          .expect =
              [](const Case& c, const Problem& problem, const std::vector<HostTensor>* outputs) {
                const RowCase p = read_row_case(c);
                return expect_rows(bind(rulebook().contracts, p.contract, *p.x), p, problem, outputs);
              },
          .neighbours = [](const Case& c) { return row_hypotheses(read_row_case(c)); }};
}

}  // namespace assay
