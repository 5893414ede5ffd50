#include "suites/qk_norm_rope/words.h"

#include <fmt/format.h>

#include "reference/flow/row_norm.h"
#include "reference/formats/catalogue.h"
#include "suites/qk_norm_rope/expect.h"
#include "suites/rows/rotation.h"
#include "suites/rows/words.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

/// The norm of a number; returns those of the head.
Spans append_norm(std::vector<std::string>& lines, const RowNorm& norm, const RowInputs& inputs, const Format& x, size_t column) {
  const NormRow row = norm_row(norm, inputs.x, {}, x);
  Environment known;
  known.set("n", point(double(inputs.x.size())));
  known.set("eps", point(round_to(kF32, inputs.eps, Rounding::kNearestEven, Overflow::kSpecial)));
  append_cell(lines, "r", norm.r, norm_sum(norm, row), known);
  const Span r = norm_factor(norm, row, inputs.eps);
  known.set("r", r);
  if (!inputs.gamma.empty()) {
    known.set("w", point(inputs.gamma[column]));
    lines.push_back("  w: " + in_words(point(inputs.gamma[column])));
  }
  append_cell(lines, "y", norm.y, point(inputs.x[column]), known);
  return norm_outputs(norm, Spans(inputs.x), Spans(inputs.gamma), r);
}

}  // namespace

std::vector<std::string> trace_head(const HeadCase& c, const Problem& problem, int64_t token, int64_t column) {
  const int64_t head = column / c.n;
  const auto own = size_t(column % c.n);
  const bool of_q = head < c.q_heads, of_k = !of_q && head < c.q_heads + c.k_heads;
  const RowInputs inputs = inputs_of_head(c, problem, {}, token, head);
  std::vector<std::string> lines = {fmt::format("number {} of {} head {} of token {}, position {}", own,
                                                of_q   ? "Q"
                                                : of_k ? "K"
                                                       : "V",
                                                head - (of_q   ? 0
                                                        : of_k ? c.q_heads
                                                               : c.q_heads + c.k_heads),
                                                token, find(problem.tensors, "positions").code(token))};
  if (!of_q && !of_k) {
    lines.push_back("  stays as it is: " + in_words(point(inputs.x[own])));
    return lines;
  }
  const Contract contract = bind(rulebook().contracts, c.contract, *c.x);
  const Spans y = append_norm(lines, *contract.row_norm(), inputs, *c.x, own);
  append_rotation(lines, *contract.rope(), y, inputs, own);
  return lines;
}

}  // namespace assay
