#include <fmt/format.h>

#include <algorithm>

#include "reference/flow/flow.h"
#include "reference/flow/rank_reduce/rank_norm.h"
#include "suites/all_reduce_rms_norm/sharded_case.h"
#include "suites/ops.h"
#include "suites/rows/roles.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

constexpr int64_t kExcerptElements = 1 << 14;

/// Composed of norms of whole rows.
class BoundSharded : public BoundCase {
 public:
  BoundSharded(ShardedCase c, CaseName name) : c_(std::move(c)), name_(std::move(name)) {}

  CaseName name() const override { return name_; }
  Problem problem() const override { return sharded_problem(c_); }
  Expectation expect(const Problem& problem, const std::vector<HostTensor>* outputs) const override {
    return expect_sharded(c_, problem, outputs);
  }
  std::vector<Hypothesis> mutants() const override { return sharded_hypotheses(c_); }
  std::unique_ptr<const BoundCase> excerpt() const override {
    const int64_t rows = std::max<int64_t>(1, kExcerptElements / first().rows().n);
    return rows < c_.rows() ? std::make_unique<const BoundSharded>(c_.with_rows(rows), name_) : nullptr;
  }
  std::vector<std::string> formulas() const override {
    std::vector<std::string> lines = {
        fmt::format("x     = the columns of all {} ranks side by side; their squares alone cross ranks", c_.ranks)};
    for (std::string& line : first().norm->formulas()) lines.push_back(std::move(line));
    if (c_.matrices.size() > 1) lines.emplace_back("k       likewise, with a factor and weights of its own");
    return lines;
  }
  std::vector<std::string> trace(const Problem& problem, int64_t row, int64_t column) const override {
    std::vector<std::string> lines = {
        fmt::format("column {} of the first rank, of {} columns on {} ranks", column, first().rows().n, c_.ranks)};
    for (std::string& line : first().norm->trace(whole_problem(c_, first(), problem), row, column)) lines.push_back(std::move(line));
    return lines;
  }
  std::string situation(const Problem& problem, const std::vector<HostTensor>& outputs) const override {
    return sharded_situation(c_, problem, outputs);
  }

 private:
  const ShardedMatrix& first() const { return c_.matrices.front(); }

  const ShardedCase c_;
  const CaseName name_;
};

std::unique_ptr<const BoundCase> bind_sharded(const Case& c) {
  ShardedCase p = read_sharded_case(c);
  const RowCase& norm = p.matrices.front().rows();
  CaseName name = {c.op, p.id(),
                   fmt::format("{}.r{}.m{}.n{}{}.eps{}{}", p.x->name, p.ranks, p.rows(), norm.n,
                               p.matrices.size() > 1 ? fmt::format(".k{}", p.matrices.back().rows().n) : "", c.text("eps"),
                               p.before > 0 ? fmt::format(".after{}", p.before) : ""),
                   fmt::format("{}.{}.s{}", norm.fill, norm.gamma, p.seed), norm.warp};
  return std::make_unique<const BoundSharded>(std::move(p), std::move(name));
}

}  // namespace

Op all_reduce_rms_norm_op() {
  return {.name = "all_reduce_rms_norm",
          .roles = {{"x", Access::kIn, "[m, n / ranks] of each rank: its columns of the input, dense"},
                    {"gamma", Access::kIn, "[n / ranks] of each rank: the weights of its columns"},
                    {"y", Access::kOut, "[m, n / ranks] of each rank in the format of x"},
                    {"k", Access::kIn, "[m, n_k / ranks]: a second matrix with a factor of its own; only in contracts with two"},
                    {"gamma_k", Access::kIn, "[n_k / ranks]: its weights"},
                    {"y_k", Access::kOut, "[m, n_k / ranks]: its result"}},
          .parameters = {roles::kEps, roles::kWarp},
          .columns = {"contract", "ranks", "x", "m", "n", "n_k", "eps", "fill", "gamma", "before", "seed", "warp"},
          .optional_columns = {"n_k", "before"},
          .takes = [](const std::string& contract) { return rulebook().is_row(contract, rank_squares_flow()); },
          .bind = bind_sharded};
}

}  // namespace assay
