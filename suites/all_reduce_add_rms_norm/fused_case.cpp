#include "suites/all_reduce_add_rms_norm/fused_case.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "reference/flow/flow.h"
#include "reference/flow/rank_reduce/rank_norm.h"
#include "reference/flow/rank_reduce/rank_reduce.h"
#include "reference/formats/round.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

constexpr int64_t kExcerptElements = 1 << 11;

/// "normal.normal.gamma", followed by the generator of a given scale.
std::string fills_of(const RankCase& sum, const RowCase& norm) {
  const std::string scale = norm.scale_fill.empty() ? "" : "." + norm.scale_fill;
  return fmt::format("{}.{}.{}{}.s{}", sum.fill, norm.residual, norm.gamma, scale, sum.seed);
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
  if (sum.m == 0) cells.refuse("m", "a norm has rows");
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

}  // namespace assay
