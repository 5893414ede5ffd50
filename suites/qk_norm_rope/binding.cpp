#include "suites/qk_norm_rope/binding.h"

#include <algorithm>
#include <cstring>

#include "suites/qk_norm_rope/expect.h"
#include "suites/qk_norm_rope/words.h"
#include "suites/rows/words.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

/// Enough for every fill to come round.
constexpr int64_t kExcerptElements = 1 << 15;

Contract contract_of(const HeadCase& c) { return bind(rulebook().contracts, c.contract, *c.x); }

/// The case of these tokens of another.
std::pair<Case, Problem> with_tokens(Case c, const Problem& made, const std::vector<int64_t>& tokens) {
  c.parameters["m"] = std::to_string(tokens.size());
  Problem problem = head_problem(read_head_case(c));
  for (size_t t = 0; t < made.tensors.size(); ++t) {
    const HostTensor& from = made.tensors[t];
    HostTensor& to = problem.tensors[t];
    const bool of_tokens = t == 0 || from.spec.name == "positions";
    if (!of_tokens) continue;
    const size_t row = from.spec.bytes() / size_t(from.spec.shape[0]);
    for (size_t i = 0; i < tokens.size(); ++i)
      std::memcpy(to.bytes.data() + i * row, from.bytes.data() + size_t(tokens[i]) * row, row);
  }
  return {c, problem};
}

Op head_op(std::string name, std::vector<std::string> columns) {
  Op op;
  op.name = std::move(name);
  op.columns = std::move(columns);
  op.validate = [](Case c) {
    c.id = head_id(c, read_head_case(c));
    return c;
  };
  op.problem = [](const Case& c) { return head_problem(read_head_case(c)); };
  op.expect = [](const Case& c, const Problem& made, const std::vector<HostTensor>* outputs) {
    const HeadCase p = read_head_case(c);
    return expect_heads(contract_of(p), p, made, outputs);
  };
  op.neighbours = [](const Case& c) { return head_hypotheses(read_head_case(c)); };
  op.excerpt = [](Case c) {
    const HeadCase p = read_head_case(c);
    c.parameters["m"] = std::to_string(std::min(p.m, std::max<int64_t>(3, kExcerptElements / p.columns())));
    return c;
  };
  op.rows = [](const Case& c) { return read_head_case(c).m; };
  op.with_rows = with_tokens;
  op.formulas = [](const Case& c) { return formulas(contract_of(read_head_case(c))); };
  op.trace = [](const Case& c, const Problem& made, int64_t row, int64_t column) {
    return trace_head(read_head_case(c), made, row, column);
  };
  return op;
}

}  // namespace

Op qk_norm_rope_op() {
  return head_op("qk_norm_rope", {"contract", "x", "m", "q_heads", "k_heads", "v_heads", "n", "rotary", "cache", "max_position",
                                  "eps", "fill", "gamma", "positions", "seed", "warp"});
}

Op q_norm_rope_op() {
  return head_op("q_norm_rope", {"contract", "x", "m", "q_heads", "padded_heads", "n", "rotary", "cache", "max_position", "eps",
                                 "fill", "positions", "seed", "warp"});
}

}  // namespace assay
