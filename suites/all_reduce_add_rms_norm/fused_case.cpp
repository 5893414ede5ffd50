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

/// Warm-up calls of a combine step have the case's seed plus this number.
constexpr uint64_t kSeedOfWarmUps = 1000;

/// The generators of x, residual and gamma, then the seed: "normal.normal.gamma.s1". Before the seed stand the generators of a
/// combine step, a given scale and an outer scale, if the case has them.
std::string fills_of(const RankCase& sum, const RowCase& norm, const std::optional<CombineCase>& combine) {
  std::string fills = fmt::format("{}.{}.{}{}", sum.fill, norm.residual, norm.gamma, combine ? combine_fills(*combine) : "");
  for (const std::string& given : {norm.scale_fill, norm.outer_fill})
    if (!given.empty()) fills += "." + given;
  return fmt::format("{}.s{}", fills, sum.seed);
}

/// The part of a case id that describes the quantization: "g128.ue8m0x4_tma".
std::string scales_of(const Case& c, const RowCase& norm) {
  if (!norm.has_scales()) return "";
  const bool counts = norm.scales.block().columns > 0;  // otherwise the cell is a word: row or tensor
  return fmt::format(".{}{}.{}", counts ? "g" : "", c.text("group_size"), norm.layout()->id);
}

CaseName name_of(const Case& c, const std::string& contract, const RankCase& s, const RowCase& norm,
                 const std::optional<CombineCase>& combine) {
  return {c.op, contract,
          fmt::format("{}.r{}.m{}{}.n{}{}.eps{}{}", s.x->name, s.ranks, s.m,
                      combine ? fmt::format(".k{}{}", combine->topk, combine_shape(*combine)) : "", s.n, scales_of(c, norm),
                      c.text("eps"), s.before > 0 ? fmt::format(".after{}", s.before) : ""),
          fills_of(s, norm, combine), s.warp};
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
    cells.refuse("contract", "'" + row.id + "' is a " + row.flow->name + " contract; expected an all-reduce with a norm");
  const RankNorm parts = read_rank_norm(row);
  const ContractTables& tables = rulebook().contracts;
  RankCase sum = read_rank_case(cells, tables.find(parts.reduce));
  norm->chain.require(cells, tables.find(parts.then), norm->columns);
  RowCase rows = read_row_case(cells, tables.find(parts.then), false);
  std::optional<CombineCase> combine;
  if (!parts.combine.empty()) combine = read_combine_case(cells, tables.find(parts.combine)), combine->ranks = sum.ranks;
  for (const char* column : {"topk", "ids", "router_weights", "factor", "padding", "shared"})
    if (!combine && cells.given(column)) cells.refuse(column, "contract " + row.id + " has no combine stage, which would use this column");
  CaseName name = name_of(c, row.id, sum, rows, combine);
  return std::make_unique<const BoundFused>(std::make_shared<const BoundRanks>(std::move(sum), name),
                                            std::make_shared<const BoundRows>(norm, std::move(rows), name), std::move(combine),
                                            name);
}

namespace {

/// The combine case of one rank. Warm-up calls (`before`) have other data, and none of their slots is absent.
CombineCase of_rank(CombineCase c, int rank, bool before) {
  c.rank = rank;
  if (before) c.fill = kFillBefore, c.seed += kSeedOfWarmUps, c.absent = false;
  return c;
}

/// The call of one rank alone: its tensors, with the rank number 0.
Problem alone(const Problem& problem, int rank) {
  Problem own;
  own.parameters = problem.parameters;
  for (const HostTensor& tensor : problem.tensors)
    if (tensor.spec.rank == rank) own.tensors.push_back(of_rank(tensor, 0));
  return own;
}

HostTensor combined_rows(const CombineCase& c, const Combine& contract, const Problem& own) {
  const CombineInputs inputs = combine_inputs(c, own);
  HostTensor x{dense("x", Role::kInput, *c.x, {c.m, c.n}), {}};
  x.bytes.resize(x.spec.bytes());
  for (int64_t token = 0; token < c.m; ++token) {
    const Spans row = combined(contract, inputs, token);
    for (int64_t i = 0; i < c.n; ++i) x.set_code(token * c.n + i, code_of(*c.x, row.low[size_t(i)]));
  }
  return x;
}

}  // namespace

Problem BoundFused::combined(const Problem& problem, const Combine* contract) const {
  if (!combine_) return problem;
  const std::set<std::string> consumed{"row_of_slot", "topk_weights", "topk_ids", "expert_map", "shared"};
  const auto after = [&](const Problem& given, bool before) {
    Problem made;
    made.ranks = given.ranks;
    made.parameters = given.parameters;
    for (const HostTensor& tensor : given.tensors) {
      const int rank = tensor.spec.rank;
      if (tensor.spec.name == "x")
        made.tensors.push_back(of_rank(
            combined_rows(of_rank(*combine_, rank, before), contract ? *contract : combine_->contract, alone(given, rank)),
            rank));
      else if (!consumed.contains(tensor.spec.name))
        made.tensors.push_back(tensor);
    }
    return made;
  };
  Problem made = after(problem, false);
  if (!problem.before.empty()) made.before.assign(problem.before.size(), after(problem.before.back(), true));
  return made;
}

Problem BoundFused::problem() const {
  const RowCase& rows = norm_->row_case();
  const Problem sums = sum_->problem(), norm = norm_->problem_of({dense("x", Role::kInput, *rows.x, {rows.m, rows.n}), {}});
  const auto make = [&](const Problem& x, bool before) {
    Problem made;
    made.ranks = x.ranks;
    made.parameters = norm.parameters;
    for (const HostTensor& tensor : x.tensors) {
      if (tensor.spec.name != "x") continue;
      if (!combine_) {
        made.tensors.push_back(tensor);
      } else {
        const Problem rows = combine_problem(of_rank(*combine_, tensor.spec.rank, before));
        for (const HostTensor& own : rows.tensors)
          if (own.spec.name != "y") made.tensors.push_back(of_rank(own, tensor.spec.rank));
        for (const auto& parameter : rows.parameters)
          if (parameter.first != "warp" && tensor.spec.rank == 0) made.parameters.push_back(parameter);
      }
      for (const HostTensor& own : norm.tensors)
        if (own.spec.name != "x") made.tensors.push_back(of_rank(own, tensor.spec.rank));
    }
    return made;
  };
  Problem made = make(sums, false);
  for (const Problem& earlier : sums.before) made.before.push_back(make(earlier, true));
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
  if (combine_) return nullptr;
  const int64_t rows = std::min(sum().m, std::max<int64_t>(1, kExcerptElements / sum().n));
  if (rows == sum().m) return nullptr;
  RankCase few = sum();
  few.m = rows;
  return std::make_unique<const BoundFused>(std::make_shared<const BoundRanks>(std::move(few), name_),
                                            norm_->with(norm_->row_case().with_rows(rows)), combine_, name_);
}

std::vector<std::string> BoundFused::formulas() const {
  std::vector<std::string> lines;
  if (combine_) {
    lines = combine_lines(combine_->contract, *combine_->x);
    lines.push_back("v     = y of the combine step of each rank");
  }
  for (std::string& line : sum_->formulas()) lines.push_back(std::move(line));
  lines.back().replace(0, 1, "x");  // the y of this line is the x of the norm
  for (std::string& line : norm_->formulas()) lines.push_back(std::move(line));
  return lines;
}

std::vector<std::string> BoundFused::trace(const Problem& given, int64_t row, int64_t column) const {
  const Problem problem = combined(given);
  std::vector<std::string> lines = sum_->trace(problem, row, column);
  if (row >= sum().m || column >= sum().n) return lines;
  const RankInputs inputs = rank_inputs(sum(), problem);
  const Problem norm = norm_problem(problem, RankSums(sum().contract, *sum().x, inputs), 0);
  for (std::string& line : norm_->trace(norm, row, column)) lines.push_back(std::move(line));
  return lines;
}

// The accepted outputs of a fused op on each rank, and its mutants.

namespace {

/// Computes the accepted outputs of a norm from its call and, if given, the stored outputs.
using NormAnswer = std::function<Expectation(const Problem&, const std::vector<HostTensor>*)>;

/// The norm of one rank as a case of its own. The accepted outputs (`answer`) refer to the call and to the stored outputs.
struct RankAnswer {
  Problem problem;
  std::vector<HostTensor> stored;
  Answer answer;
};

std::string name_of_rank(int rank) { return "rank " + std::to_string(rank); }

/// The outputs of one rank, relabelled as the outputs of a call with a single rank.
std::vector<HostTensor> of_rank(const std::vector<HostTensor>& outputs, int rank) {
  std::vector<HostTensor> own;
  for (const HostTensor& output : outputs)
    if (output.spec.rank == rank) own.push_back(output), own.back().spec.rank = 0;
  return own;
}

/// Adds the rank to the texts and labels of a block.
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

/// The accepted outputs of each rank, for these contracts of the all-reduce, the norm and the combine step.
Expectation expect_fused(const BoundFused& c, const Problem& given, const std::vector<HostTensor>* outputs,
                         const RankReduce& contract, const NormAnswer& norm, const Combine* rows = nullptr) {
  const Problem problem = c.combined(given, rows);
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
  return expect_fused(
      *this, problem, outputs, sum().contract,
      [this](const Problem& of_rank, const std::vector<HostTensor>* stored) { return norm_->expect(of_rank, stored); });
}

std::vector<Hypothesis> BoundFused::mutants() const {
  // the mutants outlive this case, so they refer to a copy
  const auto c = std::make_shared<const BoundFused>(sum_, norm_, combine_, name_);
  const NormAnswer right = [norm = norm_](const Problem& problem, const std::vector<HostTensor>* stored) {
    return norm->expect(problem, stored);
  };
  std::vector<Hypothesis> all;
  for (RankNeighbour& wrong : rank_neighbours(sum().contract, *sum().x, sum().ranks, sum().elements(), sum().before > 0)) {
    if (wrong.hidden_by_residual) continue;  // the residual hides its effect; only cases of op all_reduce can kill it
    const std::string name = wrong.name;
    const bool suspect = wrong.suspect;
    all.push_back({name, [c, right, wrong = std::move(wrong)](const Problem& problem, const std::vector<HostTensor>* outputs) {
                     return expect_fused(*c, problem, outputs, wrong.contract, right);
                   }});
    all.back().suspect = suspect;
  }
  if (combine_) {  // mutants of the combine step only name causes here: cases of op moe_combine kill all of them
    const CombineExtents extents{combine_->m, combine_->topk, combine_->factor, combine_->absent || combine_->elsewhere,
                                 combine_->elsewhere};
    for (CombineNeighbour& wrong : combine_neighbours(combine_->contract, *combine_->x, extents)) {
      Hypothesis of_rows{"combine: " + wrong.name, nullptr};
      of_rows.suspect = true;
      of_rows.expect = [c, right, rows = std::move(wrong.contract)](const Problem& problem,
                                                                    const std::vector<HostTensor>* outputs) {
        return expect_fused(*c, problem, outputs, c->sum().contract, right, &rows);
      };
      all.push_back(std::move(of_rows));
    }
  }
  // mutants of the norm only name causes here: cases of the norm's own op kill all of them
  for (Hypothesis& wrong : norm_->mutants()) {
    Hypothesis of_ranks{wrong.name, nullptr, wrong.equivalent};
    of_ranks.by_rows = wrong.by_rows;
    if (wrong.in_words)
      of_ranks.in_words = [words = wrong.in_words](const std::vector<HostTensor>& outputs) { return words(of_rank(outputs, 0)); };
    of_ranks.suspect = true;
    of_ranks.expect = [c, norm = wrong.expect](const Problem& problem, const std::vector<HostTensor>* outputs) {
      return expect_fused(*c, problem, outputs, c->sum().contract, norm);
    };
    all.push_back(std::move(of_ranks));
  }
  return all;
}

Op fused_op(std::string name, RowChain norm, std::vector<RoleSpec> outputs, std::vector<std::string> columns,
            std::set<std::string> optional_columns, bool combines) {
  const auto parts = std::make_shared<const RowOpParts>(RowOpParts{.name = std::move(name),
                                                                   .chain = std::move(norm),
                                                                   .columns = std::move(columns),
                                                                   .optional_columns = std::move(optional_columns)});
  std::vector<RoleSpec> roles = {
      {"x", Access::kIn, "[m, n] of each rank: the input, dense"},
      {"residual", Access::kInOut,
       "[m, n] of each rank, equal on all ranks: residual, added to the all-reduced x and overwritten by that sum"},
      {"gamma", Access::kIn, "[n] of each rank: weights"}};
  if (combines) {
    roles[0].what += "; with row_of_slot: [rows, n], the rows that the experts computed";
    roles.insert(
        roles.end(),
        {{"row_of_slot", Access::kIn,
          "[m, topk] int32 of each rank: the row of x for each slot; < 0: no row; only for contracts with a "
          "combine stage"},
         {"topk_weights", Access::kIn, "[m, topk] of each rank in the format of x: router weights; only with row_of_slot"},
         {"shared", Access::kIn, "[m, n] of each rank: the rows of a shared expert; only with row_of_slot"}});
  }
  roles.insert(roles.end(), outputs.begin(), outputs.end());
  std::vector<ParameterSpec> parameters = parts->chain.parameters();
  if (combines)
    parameters.push_back({"routed_scaling_factor", "multiplies the sum of the experts' rows; only for contracts with a combine stage"});
  return {.name = parts->name,
          .roles = std::move(roles),
          .parameters = std::move(parameters),
          .columns = parts->columns,
          .optional_columns = parts->optional_columns,
          .takes =
              [parts](const std::string& contract) {
                const ContractRow* row = rulebook().contracts.lookup(contract);
                if (row == nullptr || row->flow != &rank_norm_flow()) return false;
                if (!row->text("combine").empty() &&
                    std::find(parts->columns.begin(), parts->columns.end(), "topk") == parts->columns.end())
                  return false;
                return parts->chain.why_not(rulebook().contracts.find(read_rank_norm(*row).then), parts->columns).empty();
              },
          .bind = [parts](const Case& c) { return bind_fused(parts, c); }};
}

}  // namespace assay
