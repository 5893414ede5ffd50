// The parsed case of ops that normalize and rotate heads, its mutants and texts, and the op qk_norm_rope.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "harness/compare/verdict.h"
#include "reference/flow/contract_mutants.h"
#include "reference/flow/flow.h"
#include "reference/formats/catalogue.h"
#include "suites/qk_norm_rope/head_case.h"
#include "suites/registry.h"
#include "suites/rows/case_cells.h"
#include "suites/rows/row_tensors.h"
#include "suites/rows/row_text.h"
#include "suites/rulebook.h"

namespace assay {

// Trace of one element of a head.

std::vector<std::string> trace_head(const HeadCase& c, const Problem& problem, int64_t token, int64_t column) {
  const int64_t head = column / c.n;
  const auto own = size_t(column % c.n);
  const bool of_q = head < c.q_heads, of_k = !of_q && head < c.q_heads + c.k_heads;
  const RowInputs inputs = inputs_of_head(c, problem, {}, token, head);
  std::vector<std::string> lines = {fmt::format("element {} of {} head {} of token {}, position {}", own,
                                                of_q   ? "Q"
                                                : of_k ? "K"
                                                       : "V",
                                                head - (of_q   ? 0
                                                        : of_k ? c.q_heads
                                                               : c.q_heads + c.k_heads),
                                                token, position_of_token(problem, token))};
  if (!of_q && !of_k) {
    lines.push_back("  is not changed: " + in_words(point(inputs.x[own])));
    return lines;
  }
  const Contract& contract = *c.bound;
  append_pair(lines, *contract.rope(), inputs, own);
  Trace trace(own);
  evaluate_row(contract, inputs, nullptr, *c.x, &trace);
  for (std::string& line : trace_lines(trace)) lines.push_back(std::move(line));
  return lines;
}

namespace {

struct NamedReading {
  std::string name;
  HeadReading reading;
  bool suspect = false;  ///< only names causes; no case has to kill it
};

/// Mutants that read the inputs wrongly.
std::vector<NamedReading> readings(const HeadCase& c) {
  std::vector<NamedReading> all;
  for (const auto& [name, angles] : wrong_angles()) all.push_back({name, {.angles = angles}});
  if (c.k_heads > 0) {
    all.push_back({"weights: q_weight for heads of K too", {.q_weight_alone = true}});
    all.push_back({"weights: k_weight for heads of Q too", {.k_weight_alone = true}});
  }
  if (c.v_heads > 0) all.push_back({"v: normalized and rotated as K", {.v_as_k = true}});
  if (c.rotary < c.n) all.push_back({"rotary: the whole head", {.whole_head = true}, true});
  for (const Format* format : {&kBf16, &kF16})
    if (c.cache->precision() > format->precision())
      all.push_back({fmt::format("cos_sin_cache: rounded to {}", format->name), {.angles_in = format}, true});
  return all;
}

Hypothesis of(const HeadCase& c, const std::string& name, const Contract& contract, const HeadReading& reading) {
  return {name,
          [c, contract, reading](const Problem& problem, const std::vector<HostTensor>* outputs) {
            return expect_heads(contract, c, problem, outputs, reading);
          },
          rulebook().equivalent(c.contract, *c.x, name)};
}

/// Whether the mutant changes nothing: it rotates another part of the head, but all of the head is rotated.
bool is_none(const HeadCase& c, const Neighbour& mistake) { return c.rotary == c.n && mistake.kind == EditKind::kPartOfHead; }

/// The mutants of `first`, the contract or one of its mutants.
std::vector<Neighbour> mistakes(const HeadCase& c, const Neighbour& first) {
  std::vector<Neighbour> all = neighbours_of(rulebook().contracts, first, *c.x);
  std::erase_if(all, [&](const Neighbour& one) { return is_none(c, one); });
  return all;
}

}  // namespace

std::vector<Hypothesis> head_hypotheses(const HeadCase& c) {
  const Neighbour right = unedited(rulebook().contracts, c.contract, *c.x);
  std::vector<Hypothesis> all;
  for (const std::shared_ptr<const Neighbour>& mistake : contract_edits(c.contract, *c.x)) {
    if (is_none(c, *mistake)) continue;
    all.push_back(of(c, mistake->name, mistake->contract, {}));
    all.back().suspect = mistake->suspect;
    all.back().with_another = [c, mistake] {
      const Neighbour& first = *mistake;
      std::vector<Hypothesis> pairs;
      for (const Neighbour& second : mistakes(c, first)) pairs.push_back(of(c, second.name, second.contract, {}));
      for (const NamedReading& second : readings(c)) pairs.push_back(of(c, second.name, first.contract, second.reading));
      return pairs;
    };
  }
  for (const NamedReading& first : readings(c)) {
    all.push_back(of(c, first.name, right.contract, first.reading));
    all.back().suspect = first.suspect;
    all.back().with_another = [c, right, first] {
      std::vector<Hypothesis> pairs;
      for (const Neighbour& second : mistakes(c, right)) pairs.push_back(of(c, second.name, second.contract, first.reading));
      return pairs;
    };
  }
  return all;
}

namespace {

/// For each rotated head of each token, in the order of the launch: whether an element of it is wrong.
std::vector<bool> wrong_heads(const HeadCase& c, const WholePart& right, const HostTensor& tensor) {
  const int64_t rotated = c.q_heads + c.k_heads;
  std::vector<bool> wrong(size_t(c.m * rotated), false);
  for (int64_t token = 0; token < c.m; ++token)
    for (int64_t column = 0; column < rotated * c.n; ++column) {
      const int64_t i = token * right.part.columns() + column;
      const int32_t stored = ordinal(*right.part.format, load_code(right.part, tensor, right.offset_at(i)));
      if (!right.at(i).holds(*right.part.format, stored)) wrong[size_t(token * rotated + column / c.n)] = true;
    }
  return wrong;
}

/// Whether the first of every `count` heads is right and nearly all others are wrong; a few may be right by chance.
bool only_firsts_are_right(const std::vector<bool>& wrong, size_t count) {
  size_t others = 0, wrong_others = 0;
  for (size_t head = 0; head < wrong.size(); ++head) {
    if (head % count == 0 && wrong[head]) return false;
    if (head % count == 0) continue;
    ++others;
    wrong_others += wrong[head];
  }
  return others >= 6 && 10 * wrong_others >= 9 * others;
}

}  // namespace

std::string situation_of_heads(const HeadCase& c, const Problem& problem, const std::vector<HostTensor>& outputs) {
  const Expectation right = expect_heads(*c.bound, c, problem, &outputs);
  const WholePart whole = computed(right).front();
  const std::vector<bool> wrong = wrong_heads(c, whole, find(outputs, whole.part.tensor));
  for (const size_t count : {8, 4, 2})  // heads that one warp computes in real kernels
    if (only_firsts_are_right(wrong, count))
      return "heads: of every " + std::to_string(count) +
             " in a row only the first is right, as if a warp handled several heads and its lanes diverged before a shuffle";
  return "";
}

namespace {

// Makes the ops that normalize and rotate heads.

/// Number of elements in a subsample. Within them every input generator repeats its pattern.
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
  std::vector<Hypothesis> mutants() const override { return c_.m > 0 ? head_hypotheses(c_) : std::vector<Hypothesis>(); }
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
      if (!of_tokens) {
        if (from.spec.shape == made.tensors[t].spec.shape)
          made.tensors[t].bytes = from.bytes;  // weights and cos_sin_cache, which all tokens share
        continue;
      }
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

Op head_op(std::string name, std::vector<RoleSpec> roles, std::vector<ParameterSpec> parameters,
           std::vector<std::string> columns) {
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

Op qk_norm_rope_op() {
  return head_op(
      "qk_norm_rope",
      {{"qkv", Access::kInOut, "[m, (q_heads + k_heads + v_heads) n]: the heads of Q, then of K, then of V; V is not changed"},
       {"q_weight", Access::kIn, "[n]: the weights of every head of Q"},
       {"k_weight", Access::kIn, "[n]: the weights of every head of K"}},
      {{"k_heads", "number of heads of K of a token"}, {"v_heads", "number of heads of V of a token"}},
      {"contract", "x", "m", "q_heads", "k_heads", "v_heads", "n", "rotary", "cache", "max_position", "eps", "fill", "gamma",
       "positions", "seed", "warp"});
}

}  // namespace assay
