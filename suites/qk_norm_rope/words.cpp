#include "suites/qk_norm_rope/words.h"

#include <fmt/format.h>

#include "suites/qk_norm_rope/expect.h"
#include "suites/rows/rotation.h"
#include "suites/rows/words.h"

namespace assay {

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
                                                token, position_of_token(problem, token))};
  if (!of_q && !of_k) {
    lines.push_back("  stays as it is: " + in_words(point(inputs.x[own])));
    return lines;
  }
  const Contract& contract = *c.bound;
  append_pair(lines, *contract.rope(), inputs, own);
  Trace trace(own);
  evaluate_row(contract, inputs, nullptr, *c.x, &trace);
  for (std::string& line : trace_lines(trace)) lines.push_back(std::move(line));
  return lines;
}

}  // namespace assay
