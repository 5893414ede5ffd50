#include "suites/qk_norm_rope/head_op.h"

#include <algorithm>
#include <cstring>

#include "reference/flow/flow.h"
#include "suites/qk_norm_rope/expect.h"
#include "suites/qk_norm_rope/words.h"
#include "suites/rows/roles.h"
#include "suites/rows/words.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

/// Elements of a subsample; every generator has repeated by then.
constexpr int64_t kExcerptElements = 1 << 15;

bool takes_heads(const std::string& contract) {
  const std::vector<const ContractRow*> links = rulebook().links_of(contract);
  return links.size() == 2 && links[0]->flow == &flow_named("row_norm") && links[1]->flow == &flow_named("rope");
}

class BoundHeads : public BoundCase {
 public:
  BoundHeads(HeadCase c, CaseName name) : c_(std::move(c)), name_(std::move(name)) {}

  CaseName name() const override { return name_; }
  Problem problem() const override { return head_problem(c_); }
  Expectation expect(const Problem& problem, const std::vector<HostTensor>* outputs) const override {
    return expect_heads(*c_.bound, c_, problem, outputs);
  }
  std::vector<Hypothesis> mutants() const override { return head_hypotheses(c_); }
  std::unique_ptr<const BoundCase> excerpt() const override {
    const int64_t tokens = std::max<int64_t>(3, kExcerptElements / c_.columns());
    return tokens < c_.m ? with_tokens(tokens) : nullptr;
  }
  int64_t independent_rows() const override { return c_.m; }
  CaseOfRows with_rows(const Problem& problem, const std::vector<int64_t>& tokens) const override {
    std::unique_ptr<const BoundHeads> some = with_tokens(int64_t(tokens.size()));
    Problem made = some->problem();
    for (size_t t = 0; t < problem.tensors.size(); ++t) {
      const HostTensor& from = problem.tensors[t];
      const bool of_tokens = t == 0 || from.spec.name == "positions";
      if (!of_tokens) continue;
      const size_t row = from.spec.bytes() / size_t(from.spec.shape[0]);
      for (size_t i = 0; i < tokens.size(); ++i)
        std::memcpy(made.tensors[t].bytes.data() + i * row, from.bytes.data() + size_t(tokens[i]) * row, row);
    }
    return {std::move(some), std::move(made), {{"m", std::to_string(tokens.size())}}};
  }
  std::vector<std::string> formulas() const override { return assay::formulas(*c_.bound); }
  std::vector<std::string> trace(const Problem& problem, int64_t row, int64_t column) const override {
    return trace_head(c_, problem, row, column);
  }
  std::string situation(const Problem& problem, const std::vector<HostTensor>& outputs) const override {
    return situation_of_heads(c_, problem, outputs);
  }
  std::optional<Shrinking> shrinking(const std::map<std::string, int64_t>&) const override {
    Shrinking all;
    all.axes.push_back({c_.m, [](int64_t m) { return CellChanges{{"m", std::to_string(m)}}; }});
    all.elements = c_.m * c_.columns();
    return all;
  }

 private:
  std::unique_ptr<const BoundHeads> with_tokens(int64_t tokens) const {
    HeadCase c = c_;
    c.m = tokens;
    return std::make_unique<const BoundHeads>(std::move(c), name_);
  }

  const HeadCase c_;
  const CaseName name_;
};

}  // namespace

Op head_op(std::string name, std::vector<RoleSpec> roles, std::vector<ParameterSpec> parameters, std::vector<std::string> columns) {
  roles.insert(roles.end(), {roles::kCosSin, roles::kPositions});
  parameters.insert(parameters.end(), {roles::kQHeads, roles::kEps, roles::kWarp});
  return {.name = std::move(name),
          .roles = std::move(roles),
          .parameters = std::move(parameters),
          .columns = std::move(columns),
          .takes = takes_heads,
          .bind = [](const Case& c) {
            HeadCase p = read_head_case(c);
            CaseName of_case = head_name(c, p);
            return std::make_unique<const BoundHeads>(std::move(p), std::move(of_case));
          }};
}

}  // namespace assay
