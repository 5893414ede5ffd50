#include "suites/qk_norm_rope/head_op.h"

#include <algorithm>
#include <cstring>

#include "harness/core/callback_op.h"
#include "reference/flow/registry.h"
#include "suites/qk_norm_rope/expect.h"
#include "suites/qk_norm_rope/words.h"
#include "suites/rows/roles.h"
#include "suites/rows/words.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

/// Elements of an excerpt: every fill has repeated itself by then.
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

bool takes_heads(const std::string& contract) {
  const std::vector<const ContractRow*> links = rulebook().links_of(contract);
  return links.size() == 2 && links[0]->flow == &flow_named("row_norm") && links[1]->flow == &flow_named("rope");
}

}  // namespace

Op head_op(std::string name, std::vector<RoleSpec> roles, std::vector<ParameterSpec> parameters, std::vector<std::string> columns) {
  CallbackOp op;
  op.name = std::move(name);
  op.roles = std::move(roles);
  op.roles.insert(op.roles.end(), {roles::kCosSin, roles::kPositions});
  op.parameters = std::move(parameters);
  op.parameters.insert(op.parameters.end(), {roles::kQHeads, roles::kEps, roles::kWarp});
  op.columns = std::move(columns);
  op.takes = takes_heads;
  op.validate = [](Case c) {
    c.set_name(head_name(c, read_head_case(c)));
    return c;
  };
  op.problem = [](const Case& c) { return head_problem(read_head_case(c)); };
  op.expect = [](const Case& c, const Problem& made, const std::vector<HostTensor>* outputs) {
    const HeadCase p = read_head_case(c);
    return expect_heads(contract_of(p), p, made, outputs);
  };
  op.neighbours = [](const Case& c) { return head_hypotheses(read_head_case(c)); };
  op.situation = situation_of_heads;
  op.excerpt = [](Case c) {
    const HeadCase p = read_head_case(c);
    c.parameters["m"] = std::to_string(std::min(p.m, std::max<int64_t>(3, kExcerptElements / p.columns())));
    return c;
  };
  op.batch = CallbackOp::Batch{[](const Case& c) { return read_head_case(c).m; }, with_tokens};
  op.formulas = [](const Case& c) { return formulas(contract_of(read_head_case(c))); };
  op.trace = [](const Case& c, const Problem& made, int64_t row, int64_t column) {
    return trace_head(read_head_case(c), made, row, column);
  };
  op.shrink = [](const Case& c, const std::map<std::string, int64_t>&) {
    const HeadCase p = read_head_case(c);
    Shrinking all;
    all.axes.push_back({p.m, [](int64_t m) { return std::map<std::string, std::string>{{"m", std::to_string(m)}}; }});
    all.elements = p.m * p.columns();
    return all;
  };
  return bindable(std::move(op));
}

}  // namespace assay
