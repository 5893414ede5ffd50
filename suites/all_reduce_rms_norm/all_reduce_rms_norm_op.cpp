// The op all_reduce_rms_norm. Its mutants change the exchange of the sums of squares, the inputs that are read, or the norm.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "harness/core/expectation.h"
#include "reference/flow/flow.h"
#include "reference/flow/rank_reduce/rank_norm.h"
#include "reference/flow/row_norm/row_norm.h"
#include "reference/formats/catalogue.h"
#include "suites/all_reduce_rms_norm/sharded_case.h"
#include "suites/registry.h"
#include "suites/rows/case_cells.h"
#include "suites/rows/row_expectation.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

/// Inputs that a kernel may confuse with others.
enum class Misread {
  kNothing,
  kFactors,  ///< the second matrix is normalized with r of the first
  kWeights   ///< the bits of an fp16 gamma are read as bf16
};

/// The values of one matrix on all ranks.
struct Shards {
  std::vector<std::vector<double>> x, before, gamma;  ///< index: rank; values row by row. before: x of the last warm-up call

  std::vector<std::vector<double>> row(const std::vector<std::vector<double>>& from, int64_t row, int64_t columns) const {
    std::vector<std::vector<double>> parts;
    for (const std::vector<double>& all : from)
      parts.emplace_back(all.begin() + std::ptrdiff_t(row * columns), all.begin() + std::ptrdiff_t((row + 1) * columns));
    return parts;
  }
};

std::vector<double> values_of(const std::vector<HostTensor>& tensors, const std::string& role, int rank,
                              const Format* read_as = nullptr) {
  Part part{.tensor = role, .format = nullptr, .shape = {}};
  part.rank = rank;
  const HostTensor& tensor = tensor_of(tensors, part);
  std::vector<double> values;
  for (int64_t i = 0; i < tensor.spec.elements(); ++i)
    values.push_back(decode(read_as ? *read_as : *tensor.spec.format, tensor.code(i)));
  return values;
}

/// The accepted outputs of a mutant with wrong sums of squares or misread inputs. Each rank computes its own r, so the r of
/// different ranks may differ.
Expectation of_squares(const ShardedCase& c, const Problem& problem, const RankSquares& squares,
                       Misread misread = Misread::kNothing) {
  auto shards = std::make_shared<std::vector<Shards>>();
  for (const ShardedMatrix& matrix : c.matrices) {
    Shards& own = shards->emplace_back();
    for (int rank = 0; rank < c.ranks; ++rank) {
      own.x.push_back(values_of(problem.tensors, matrix.x, rank));
      own.gamma.push_back(values_of(problem.tensors, matrix.gamma, rank, misread == Misread::kWeights ? &kBf16 : nullptr));
      if (!problem.before.empty()) own.before.push_back(values_of(problem.before.back().tensors, matrix.x, rank));
    }
  }
  Answer all;
  all.parts = sharded_parts(c, "");
  all.steps = c.rows();
  all.accepted = [c, shards, squares, misread, parts = all.parts](int64_t first, int64_t end) {
    const RowNorm& norm = *c.whole->row_norm();
    AcceptedBlock block;
    for (size_t p = 0; p < parts.size(); ++p) {
      const int rank = parts[p].rank;
      const size_t matrix = p % c.matrices.size(), squared = misread == Misread::kFactors ? 0 : matrix;
      const Shards &own = (*shards)[matrix], &of_squares = (*shards)[squared];
      const int64_t columns = c.columns(c.matrices[matrix]), others = c.columns(c.matrices[squared]);
      Accepted rows(parts[p], first, end);
      for (int64_t row = first; row < end; ++row) {
        const Span r =
            factor_of_squares(squares, norm, of_squares.row(of_squares.x, row, others),
                              of_squares.row(of_squares.before, row, others), rank, c.matrices[matrix].rows().eps, *c.x);
        rows.put(row, norm_outputs(norm, Spans(own.row(own.x, row, columns)[size_t(rank)]),
                                   NormWeights(Spans(own.gamma[size_t(rank)])), NormFactors(r)));
      }
      block.parts.push_back(std::move(rows).finish());
    }
    return block;
  };
  return {{std::move(all)}};
}

void add(std::vector<Hypothesis>& all, const ShardedCase& c, const std::string& name, const RankSquares& squares,
         Misread misread = Misread::kNothing) {
  all.push_back({name,
                 [c, squares, misread](const Problem& problem, const std::vector<HostTensor>*) {
                   return of_squares(c, problem, squares, misread);
                 },
                 rulebook().equivalent(c.id(), *c.x, name)});
}

void add_mistakes_of_ranks(std::vector<Hypothesis>& all, const ShardedCase& c) {
  const int64_t whole_warps = c.matrices.front().rows().warp * 16 / c.x->bytes();
  bool has_tail = false;
  for (const ShardedMatrix& matrix : c.matrices) has_tail |= c.columns(matrix) % whole_warps != 0;
  for (const SquaresNeighbour& wrong : squares_neighbours(c.contract, c.ranks, c.before > 0, has_tail ? whole_warps : 0))
    add(all, c, wrong.name, wrong.contract);
  if (c.matrices.size() > 1) add(all, c, "r: the second matrix has that of the first", c.contract, Misread::kFactors);
  if (*c.x == kF16) add(all, c, "gamma: fp16 read as bf16", c.contract, Misread::kWeights);
}

}  // namespace

std::string sharded_situation(const ShardedCase& c, const Problem& problem, const std::vector<HostTensor>& outputs) {
  constexpr int kMostRanks = 8;  // more ranks have too many subsets, and each subset needs a norm of all rows
  if (problem.before.empty() || c.ranks > kMostRanks) return "";
  const auto with_old = [&](unsigned ranks) {  // bit i is set: the squares of rank i are stale
    RankSquares squares = c.contract;
    for (int rank = 0; rank < c.ranks; ++rank)
      if (ranks >> rank & 1) squares.steps.push_back({SquaresStep::kRecall, rank});
    return computed(of_squares(c, problem, squares));
  };
  struct WrongRow {
    size_t part;
    int64_t row;
  };
  const auto outside = [&](const std::vector<WholePart>& parts, const WrongRow& at) {
    const WholePart& accepted = parts[at.part];
    const HostTensor& y = tensor_of(outputs, accepted.part);
    const int64_t columns = accepted.part.columns();
    int64_t count = 0;
    for (int64_t i = at.row * columns; i < (at.row + 1) * columns; ++i)
      count += !accepted.at(i).holds(*c.x, ordinal(*c.x, y.code(i)));
    return count;
  };
  const std::vector<WholePart> right = with_old(0);
  std::vector<WrongRow> unexplained;
  int64_t wrong = 0;
  for (size_t p = 0; p < right.size(); ++p)
    for (int64_t row = 0; row < right[p].part.rows(); ++row)
      if (const int64_t count = outside(right, {p, row}); count > 0) wrong += count, unexplained.push_back({p, row});
  for (unsigned old = 1; old < 1u << c.ranks && !unexplained.empty(); ++old) {
    const std::vector<WholePart> parts = with_old(old);
    std::erase_if(unexplained, [&](const WrongRow& at) { return outside(parts, at) == 0; });
  }
  return wrong == 0 || !unexplained.empty()
             ? ""
             : "all " + std::to_string(wrong) +
                   " wrong elements: in rows whose r uses sums of squares that some ranks computed in the previous call";
}

std::vector<Hypothesis> sharded_hypotheses(const ShardedCase& c) {
  std::vector<Hypothesis> all;
  add_mistakes_of_ranks(all, c);
  std::vector<std::vector<Hypothesis>> of_matrices;
  for (const ShardedMatrix& matrix : c.matrices) of_matrices.push_back(matrix.norm->mutants());
  for (size_t i = 0; i < of_matrices.front().size(); ++i) {
    const Hypothesis& wrong = of_matrices.front()[i];
    std::vector<NormAnswer> norms;  // all matrices have the same contract, so the same mutants in the same order
    for (const std::vector<Hypothesis>& mutants : of_matrices) norms.push_back(mutants.at(i).expect);
    Hypothesis of_ranks{wrong.name, nullptr, wrong.equivalent};
    of_ranks.suspect = wrong.suspect;
    of_ranks.by_rows = wrong.by_rows;
    of_ranks.expect = [c, norms](const Problem& problem, const std::vector<HostTensor>* outputs) {
      return of_norms(c, problem, outputs, norms);
    };
    all.push_back(std::move(of_ranks));
  }
  return all;
}
namespace {

constexpr int64_t kExcerptElements = 1 << 14;

/// A parsed case. It consists of norms of whole rows, one for each matrix.
class BoundSharded : public BoundCase {
 public:
  BoundSharded(ShardedCase c, CaseName name) : c_(std::move(c)), name_(std::move(name)) {}

  CaseName name() const override { return name_; }
  Problem problem() const override { return sharded_problem(c_); }
  Expectation expect(const Problem& problem, const std::vector<HostTensor>* outputs) const override {
    return expect_sharded(c_, problem, outputs);
  }
  std::vector<Hypothesis> mutants() const override { return c_.rows() > 0 ? sharded_hypotheses(c_) : std::vector<Hypothesis>(); }
  std::unique_ptr<const BoundCase> excerpt() const override {
    const int64_t rows = std::max<int64_t>(1, kExcerptElements / first().rows().n);
    return rows < c_.rows() ? std::make_unique<const BoundSharded>(c_.with_rows(rows), name_) : nullptr;
  }
  std::vector<std::string> formulas() const override {
    std::vector<std::string> lines = {
        fmt::format("x     = the columns of all {} ranks side by side; each rank sends only sums of squares", c_.ranks)};
    for (std::string& line : first().norm->formulas()) lines.push_back(std::move(line));
    if (c_.matrices.size() > 1) lines.emplace_back("y_k     is computed from k in the same way, with its own r and weights");
    return lines;
  }
  std::vector<std::string> trace(const Problem& problem, int64_t row, int64_t column) const override {
    std::vector<std::string> lines = {
        fmt::format("column {} of rank 0; all {} columns are divided among {} ranks", column, first().rows().n, c_.ranks)};
    for (std::string& line : first().norm->trace(whole_problem(c_, first(), problem), row, column))
      lines.push_back(std::move(line));
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
                    {"k", Access::kIn, "[m, n_k / ranks]: a second matrix with its own r; only for contracts with two matrices"},
                    {"gamma_k", Access::kIn, "[n_k / ranks]: the weights of k"},
                    {"y_k", Access::kOut, "[m, n_k / ranks]: the normalized k"}},
          .parameters = {roles::kEps, roles::kWarp},
          .columns = {"contract", "ranks", "x", "m", "n", "n_k", "eps", "fill", "gamma", "before", "seed", "warp"},
          .optional_columns = {"n_k", "before"},
          .takes = [](const std::string& contract) { return rulebook().is_row(contract, rank_squares_flow()); },
          .bind = bind_sharded};
}

}  // namespace assay
