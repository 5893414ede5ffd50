#include "suites/rms_norm/binding.h"

#include "suites/rows/expect.h"
#include "suites/rows/tensors.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

Case validate(Case c) {
  const RowCase p = read_row_case(c);
  require_flow(c, "row_norm");
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
  return {.name = "rms_norm",
          .columns = {"contract", "x", "m", "n", "eps", "fill", "gamma", "seed", "warp"},
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
