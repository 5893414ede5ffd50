#include "suites/all_reduce_add_rms_norm/fused_case.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "reference/flow/flow.h"
#include "reference/flow/rank_reduce/rank_norm.h"
#include "reference/flow/rank_reduce/rank_reduce.h"
#include "reference/formats/round.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

constexpr int64_t kExcerptElements = 1 << 11;

/// "normal.normal.gamma", followed by the generators of a given scale and of a scale of the outer level.
std::string fills_of(const RankCase& sum, const RowCase& norm) {
  std::string fills = fmt::format("{}.{}.{}", sum.fill, norm.residual, norm.gamma);
  for (const std::string& given : {norm.scale_fill, norm.outer_fill})
    if (!given.empty()) fills += "." + given;
  return fmt::format("{}.s{}", fills, sum.seed);
}

/// The part of the name from a quantization: "g128.ue8m0x4_tma".
std::string scales_of(const Case& c, const RowCase& norm) {
  if (!norm.has_scales()) return "";
  const bool counts = norm.scales.block().columns > 0;  // "row" and "tensor" are words instead
  return fmt::format(".{}{}.{}", counts ? "g" : "", c.text("group_size"), norm.layout()->id);
}

CaseName name_of(const Case& c, const std::string& contract, const RankCase& s, const RowCase& norm) {
  return {c.op, contract,
          fmt::format("{}.r{}.m{}.n{}{}.eps{}{}", s.x->name, s.ranks, s.m, s.n, scales_of(c, norm), c.text("eps"),
                      s.before > 0 ? fmt::format(".after{}", s.before) : ""),
          fills_of(s, norm), s.warp};
}

HostTensor of_rank(HostTensor tensor, int rank) {
  tensor.spec.rank = rank;
  return tensor;
}

}  // namespace

std::unique_ptr<const BoundFused> bind_fused(const std::shared_ptr<const RowOpParts>& norm, const Case& c) {
  const Cells cells(c);
  const ContractRow& row = cells.contract();
  if (row.flow != &rank_norm_flow())
    cells.refuse("contract", "'" + row.id + "' is a " + row.flow->name + " row and this op is a sum and a norm");
  const RankNorm parts = read_rank_norm(row);
  const ContractTables& tables = rulebook().contracts;
  RankCase sum = read_rank_case(cells, tables.find(parts.reduce));
  norm->chain.require(cells, tables.find(parts.then), norm->columns);
  RowCase rows = read_row_case(cells, tables.find(parts.then), false);
  CaseName name = name_of(c, row.id, sum, rows);
  return std::make_unique<const BoundFused>(std::make_shared<const BoundRanks>(std::move(sum), name),
                                            std::make_shared<const BoundRows>(norm, std::move(rows), name), name);
}

Problem BoundFused::problem() const {
  const RowCase& rows = norm_->row_case();
  const Problem sums = sum_->problem(), norm = norm_->problem_of({dense("x", Role::kInput, *rows.x, {rows.m, rows.n}), {}});
  const auto make = [&](const Problem& x) {
    Problem made;
    made.ranks = x.ranks;
    for (const HostTensor& tensor : x.tensors) {
      if (tensor.spec.name != "x") continue;
      made.tensors.push_back(tensor);
      for (const HostTensor& own : norm.tensors)
        if (own.spec.name != "x") made.tensors.push_back(of_rank(own, tensor.spec.rank));
    }
    made.parameters = norm.parameters;
    return made;
  };
  Problem made = make(sums);
  for (const Problem& earlier : sums.before) made.before.push_back(make(earlier));
  return made;
}

Problem BoundFused::norm_problem(const Problem& problem, const RankSums& sums, int rank) const {
  const RowCase& rows = norm_->row_case();
  HostTensor x{dense("x", Role::kInput, *rows.x, {rows.m, rows.n}), {}};
  x.bytes.resize(x.spec.bytes());
  const Spans values = sums.results(rank, 0, x.spec.elements());
  for (int64_t i = 0; i < x.spec.elements(); ++i) x.set_code(i, code_of(*rows.x, values.low[size_t(i)]));
  Problem norm;
  norm.parameters = problem.parameters;
  norm.tensors.push_back(std::move(x));
  for (const HostTensor& tensor : problem.tensors)
    if (tensor.spec.rank == rank && tensor.spec.name != "x") norm.tensors.push_back(of_rank(tensor, 0));
  return norm;
}

std::unique_ptr<const BoundCase> BoundFused::excerpt() const {
  const int64_t rows = std::min(sum().m, std::max<int64_t>(1, kExcerptElements / sum().n));
  if (rows == sum().m) return nullptr;
  RankCase few = sum();
  few.m = rows;
  return std::make_unique<const BoundFused>(std::make_shared<const BoundRanks>(std::move(few), name_),
                                            norm_->with(norm_->row_case().with_rows(rows)), name_);
}

std::vector<std::string> BoundFused::formulas() const {
  std::vector<std::string> lines = sum_->formulas();
  lines.back() = "x     = what is y there, on every rank";
  for (std::string& line : norm_->formulas()) lines.push_back(std::move(line));
  return lines;
}

std::vector<std::string> BoundFused::trace(const Problem& problem, int64_t row, int64_t column) const {
  std::vector<std::string> lines = sum_->trace(problem, row, column);
  if (row >= sum().m || column >= sum().n) return lines;
  const RankInputs inputs = rank_inputs(sum(), problem);
  const Problem norm = norm_problem(problem, RankSums(sum().contract, *sum().x, inputs), 0);
  for (std::string& line : norm_->trace(norm, row, column)) lines.push_back(std::move(line));
  return lines;
}

// The accepted outputs of each rank of a fused op, and its mutants.

namespace {

/// The norm's answer for a problem and stored outputs.
using NormAnswer = std::function<Expectation(const Problem&, const std::vector<HostTensor>*)>;

/// The norm of one rank: its problem, its outputs as if it were alone, and its answer, which refers to both.
struct RankAnswer {
  Problem problem;
  std::vector<HostTensor> stored;
  Answer answer;
};

std::string name_of_rank(int rank) { return "rank " + std::to_string(rank); }

/// The outputs of a rank, as if it were alone.
std::vector<HostTensor> of_rank(const std::vector<HostTensor>& outputs, int rank) {
  std::vector<HostTensor> own;
  for (const HostTensor& output : outputs)
    if (output.spec.rank == rank) own.push_back(output), own.back().spec.rank = 0;
  return own;
}

/// The norm's answer with the rank added to its labels.
AcceptedBlock relabelled(AcceptedBlock block, int rank) {
  for (Violation& violation : block.violations) {
    violation.words = name_of_rank(rank) + ": " + violation.words;
    for (Place& place : violation.places) place.part += "." + name_of_rank(rank);
  }
  return block;
}

std::shared_ptr<const RankAnswer> answer_of(const BoundFused& c, const Problem& problem, const std::vector<HostTensor>* outputs,
                                            const RankSums& sums, const NormAnswer& norm, int rank) {
  auto made = std::make_shared<RankAnswer>();
  made->problem = c.norm_problem(problem, sums, rank);
  if (outputs) made->stored = of_rank(*outputs, rank);
  const std::vector<HostTensor>* stored = outputs ? &made->stored : nullptr;
  made->answer = norm(made->problem, stored).any_of.front();
  return made;
}

/// The accepted outputs of each rank for a given sum and norm.
Expectation expect_fused(const BoundFused& c, const Problem& problem, const std::vector<HostTensor>* outputs,
                         const RankReduce& contract, const NormAnswer& norm) {
  const int count = c.sum().ranks;
  const RankInputs inputs = rank_inputs(c.sum(), problem);
  const RankSums sums(contract, *c.sum().x, inputs);
  std::vector<std::shared_ptr<const RankAnswer>> ranks;
  for (int rank = 0; rank < count; ++rank) {
    const bool alike = rank > 0 && !outputs && sums.same_for_all();
    ranks.push_back(alike ? ranks.front() : answer_of(c, problem, outputs, sums, norm, rank));
  }
  Answer all;
  all.steps = ranks.front()->answer.steps;
  for (int rank = 0; rank < count; ++rank)
    for (Part part : ranks[size_t(rank)]->answer.parts) {
      part.rank = rank;
      part.name = name_of_rank(rank);
      all.parts.push_back(std::move(part));
    }
  all.accepted = [ranks](int64_t first, int64_t end) {
    AcceptedBlock block;
    for (size_t rank = 0; rank < ranks.size(); ++rank) {
      const bool known = rank > 0 && ranks[rank] == ranks.front();
      const size_t parts = ranks[rank]->answer.parts.size();
      AcceptedBlock own = known ? AcceptedBlock{{block.parts.begin(), block.parts.begin() + std::ptrdiff_t(parts)}, {}}
                                : relabelled(ranks[rank]->answer.accepted(first, end), int(rank));
      block.parts.insert(block.parts.end(), own.parts.begin(), own.parts.end());
      block.violations.insert(block.violations.end(), own.violations.begin(), own.violations.end());
    }
    return block;
  };
  const std::vector<Part> parts = all.parts;
  Expectation expectation{{std::move(all)}};
  expectation.together = [parts, of_rank = parts.size() / size_t(count)](const std::vector<HostTensor>& stored) {
    return rank_differences(parts, of_rank, stored);
  };
  return expectation;
}

}  // namespace

Expectation BoundFused::expect(const Problem& problem, const std::vector<HostTensor>* outputs) const {
  return expect_fused(*this, problem, outputs, sum().contract,
                      [this](const Problem& of_rank, const std::vector<HostTensor>* stored) { return norm_->expect(of_rank, stored); });
}

std::vector<Hypothesis> BoundFused::mutants() const {
  // the mutants outlive this case
  const auto c = std::make_shared<const BoundFused>(sum_, norm_, name_);
  const NormAnswer right = [norm = norm_](const Problem& problem, const std::vector<HostTensor>* stored) {
    return norm->expect(problem, stored);
  };
  std::vector<Hypothesis> all;
  for (RankNeighbour& wrong : rank_neighbours(sum().contract, *sum().x, sum().ranks, sum().elements(), sum().before > 0)) {
    if (wrong.hidden_by_residual) continue;  // cases of all_reduce alone kill it
    const std::string name = wrong.name;
    all.push_back({name, [c, right, wrong = std::move(wrong)](const Problem& problem, const std::vector<HostTensor>* outputs) {
                     return expect_fused(*c, problem, outputs, wrong.contract, right);
                   }});
  }
  // the norm's own op has cases that kill all of these
  for (Hypothesis& wrong : norm_->mutants()) {
    Hypothesis of_ranks{wrong.name, nullptr, wrong.equivalent};
    of_ranks.by_rows = wrong.by_rows;
    if (wrong.in_words)
      of_ranks.in_words = [words = wrong.in_words](const std::vector<HostTensor>& outputs) { return words(of_rank(outputs, 0)); };
    of_ranks.suspect = true;  // data of the norm's own op kill it
    of_ranks.expect = [c, norm = wrong.expect](const Problem& problem, const std::vector<HostTensor>* outputs) {
      return expect_fused(*c, problem, outputs, c->sum().contract, norm);
    };
    all.push_back(std::move(of_ranks));
  }
  return all;
}

Op fused_op(std::string name, RowChain norm, std::vector<RoleSpec> outputs, std::vector<std::string> columns,
            std::set<std::string> optional_columns) {
  const auto parts = std::make_shared<const RowOpParts>(
      RowOpParts{.name = std::move(name), .chain = std::move(norm), .columns = std::move(columns), .optional_columns = std::move(optional_columns)});
  std::vector<RoleSpec> roles = {{"x", Access::kIn, "[m, n] of each rank: the input, dense"},
                                 {"residual", Access::kInOut,
                                  "[m, n] of each rank, the same on all: residual, added to the all-reduced x and overwritten by that sum"},
                                 {"gamma", Access::kIn, "[n] of each rank: weights"}};
  roles.insert(roles.end(), outputs.begin(), outputs.end());
  return {.name = parts->name,
          .roles = std::move(roles),
          .parameters = parts->chain.parameters(),
          .columns = parts->columns,
          .optional_columns = parts->optional_columns,
          .takes =
              [parts](const std::string& contract) {
                const ContractRow* row = rulebook().contracts.lookup(contract);
                if (row == nullptr || row->flow != &rank_norm_flow()) return false;
                return parts->chain.why_not(rulebook().contracts.find(read_rank_norm(*row).then), parts->columns).empty();
              },
          .bind = [parts](const Case& c) { return bind_fused(parts, c); }};
}

}  // namespace assay
