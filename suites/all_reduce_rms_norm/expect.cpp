// The answer is that of the norm on whole rows: each rank has its columns of it, and one factor holds for the columns of all.
#include "suites/rows/expect.h"

#include <algorithm>
#include <memory>

#include "harness/core/tensor_of_part.h"
#include "reference/flow/row_norm/row_norm.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/codes.h"
#include "suites/all_reduce_rms_norm/sharded_case.h"
#include "suites/registry.h"
#include "suites/rows/accepted.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

/// What a norm makes of its problem and of what was stored.
using NormAnswer = std::function<Expectation(const Problem&, const std::vector<HostTensor>*)>;

/// A matrix's whole problem and outputs, and the answer, which refers to both.
struct WholeAnswer {
  Problem problem;
  std::vector<HostTensor> stored;
  Answer answer;
};

std::vector<Part> parts_of(const ShardedCase& c, const std::string& justification) {
  std::vector<Part> parts;
  for (int rank = 0; rank < c.ranks; ++rank)
    for (const ShardedMatrix& matrix : c.matrices) {
      Part part{matrix.y, c.x, {c.rows(), c.columns(matrix)}, justification};
      part.name = "rank " + std::to_string(rank);
      part.rank = rank;
      parts.push_back(std::move(part));
    }
  return parts;
}

/// A rank's columns of rows that were accepted whole.
AcceptedRows columns_of(const AcceptedRows& whole, int rank, int ranks) {
  AcceptedRows part{whole.first, whole.end, {}, {}};
  const auto rows = size_t(whole.end - whole.first), all = rows == 0 ? 0 : whole.low.size() / rows, own = all / size_t(ranks);
  const auto take = [&](const std::vector<int32_t>& from, std::vector<int32_t>& to) {
    for (size_t row = 0; row < rows && !from.empty(); ++row) {
      const auto begin = from.begin() + std::ptrdiff_t(row * all + size_t(rank) * own);
      to.insert(to.end(), begin, begin + std::ptrdiff_t(own));
    }
  };
  take(whole.low, part.low);
  take(whole.high, part.high);
  return part;
}

Expectation of_norms(const ShardedCase& c, const Problem& problem, const std::vector<HostTensor>* outputs,
                     const std::vector<NormAnswer>& norms) {
  std::vector<std::shared_ptr<const WholeAnswer>> wholes;
  for (size_t i = 0; i < c.matrices.size(); ++i) {
    const auto whole = std::make_shared<WholeAnswer>();
    whole->problem = whole_problem(c, c.matrices[i], problem);
    if (outputs) whole->stored.push_back(whole_output(c, c.matrices[i], *outputs));
    whole->answer = norms[i](whole->problem, outputs ? &whole->stored : nullptr).any_of.front();
    wholes.push_back(whole);
  }
  Answer all;
  all.parts = parts_of(c, wholes.front()->answer.parts.front().justification);
  all.steps = c.rows();
  all.accepted = [c, wholes](int64_t first, int64_t end) {
    std::vector<AcceptedBlock> blocks;
    for (const auto& whole : wholes) blocks.push_back(whole->answer.accepted(first, end));
    AcceptedBlock block;
    for (int rank = 0; rank < c.ranks; ++rank)
      for (const AcceptedBlock& of_matrix : blocks) block.parts.push_back(columns_of(of_matrix.parts.front(), rank, c.ranks));
    for (size_t i = 0; i < blocks.size(); ++i)
      for (Violation& violation : blocks[i].violations) {
        violation.words = c.matrices[i].y + " of all ranks: " + violation.words;
        for (Place& place : violation.places) place.part = c.matrices[i].y + ".rank 0";
        block.violations.push_back(std::move(violation));
      }
    return block;
  };
  return {{std::move(all)}};
}

NormAnswer right_norm(const ShardedCase& c, const ShardedMatrix& matrix) {
  const Contract contract = bind_rank_squares(rulebook().contracts, c.contract, *c.x);
  return [contract, norm = matrix.norm](const Problem& problem, const std::vector<HostTensor>* outputs) {
    return expect_rows(contract, norm, problem, outputs);
  };
}

/// What no cell of the norm says.
struct ShardedMistake {
  SquaresMistake squares = {};
  bool second_by_first = false;  ///< the second matrix has the factors of the first
  bool weights_as_bf16 = false;  ///< gamma is fp16 and is read as bf16
};

/// Rows of one matrix on all ranks, as numbers.
struct Shards {
  std::vector<std::vector<double>> x, before, gamma;  ///< of each rank, row by row

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

/// Answers under a mistake, each rank's from its own factor; the factors of ranks are not held against each other.
Expectation of_mistake(const ShardedCase& c, const Problem& problem, const ShardedMistake& mistake) {
  auto shards = std::make_shared<std::vector<Shards>>();
  for (const ShardedMatrix& matrix : c.matrices) {
    Shards& own = shards->emplace_back();
    for (int rank = 0; rank < c.ranks; ++rank) {
      own.x.push_back(values_of(problem.tensors, matrix.x, rank));
      own.gamma.push_back(values_of(problem.tensors, matrix.gamma, rank, mistake.weights_as_bf16 ? &kBf16 : nullptr));
      if (!problem.before.empty()) own.before.push_back(values_of(problem.before.back().tensors, matrix.x, rank));
    }
  }
  const Contract contract = bind_rank_squares(rulebook().contracts, c.contract, *c.x);
  Answer all;
  all.parts = parts_of(c, "");
  all.steps = c.rows();
  all.accepted = [c, shards, contract, mistake, parts = all.parts](int64_t first, int64_t end) {
    const RowNorm& norm = *contract.row_norm();
    AcceptedBlock block;
    for (size_t p = 0; p < parts.size(); ++p) {
      const int rank = parts[p].rank;
      const size_t matrix = p % c.matrices.size(), squared = mistake.second_by_first ? 0 : matrix;
      const Shards &own = (*shards)[matrix], &of_squares = (*shards)[squared];
      const int64_t columns = c.columns(c.matrices[matrix]), others = c.columns(c.matrices[squared]);
      Accepted rows(parts[p], first, end);
      for (int64_t row = first; row < end; ++row) {
        const Span r =
            factor_of_squares(norm, of_squares.row(of_squares.x, row, others), of_squares.row(of_squares.before, row, others),
                              rank, c.matrices[matrix].norm.eps, mistake.squares, *c.x);
        rows.put(row, norm_outputs(norm, Spans(own.row(own.x, row, columns)[size_t(rank)]),
                                   NormWeights(Spans(own.gamma[size_t(rank)])), NormFactors(r)));
      }
      block.parts.push_back(std::move(rows).finish());
    }
    return block;
  };
  return {{std::move(all)}};
}

void add(std::vector<Hypothesis>& all, const ShardedCase& c, const std::string& name, const ShardedMistake& mistake) {
  all.push_back({name,
                 [c, mistake](const Problem& problem, const std::vector<HostTensor>*) { return of_mistake(c, problem, mistake); },
                 rulebook().equivalent(c.id(), *c.x, name)});
}

void add_mistakes_of_ranks(std::vector<Hypothesis>& all, const ShardedCase& c) {
  for (int rank = 0; rank < c.ranks; ++rank) {
    const std::string name = "squares of rank " + std::to_string(rank);
    add(all, c, name + " are left out", {.squares = {.lost = rank}});
    add(all, c, name + " are counted twice", {.squares = {.twice = rank}});
    if (c.before > 0) add(all, c, name + " are those of the call before", {.squares = {.stale = 1u << rank}});
  }
  add(all, c, "squares: each rank has its own alone", {.squares = {.own_alone = true}});
  add(all, c, "r: n -> the columns of one rank", {.squares = {.columns_of_one = true}});
  const int64_t whole_warps = c.matrices.front().norm.warp * 16 / c.x->bytes();
  bool has_tail = false;
  for (const ShardedMatrix& matrix : c.matrices) has_tail |= c.columns(matrix) % whole_warps != 0;
  if (has_tail) add(all, c, "squares: columns of each rank behind whole warps are left out", {.squares = {.whole = whole_warps}});
  if (c.matrices.size() > 1) add(all, c, "r: the second matrix has that of the first", {.second_by_first = true});
  if (*c.x == kF16) add(all, c, "gamma: fp16 read as bf16", {.weights_as_bf16 = true});
}

}  // namespace

Expectation expect_sharded(const ShardedCase& c, const Problem& problem, const std::vector<HostTensor>* outputs) {
  std::vector<NormAnswer> norms;
  for (const ShardedMatrix& matrix : c.matrices) norms.push_back(right_norm(c, matrix));
  return of_norms(c, problem, outputs, norms);
}

std::string sharded_situation(const ShardedCase& c, const Problem& problem, const std::vector<HostTensor>& outputs) {
  if (problem.before.empty()) return "";
  std::vector<std::vector<WholePart>> by_ranks;  ///< whose squares are old, a bit each; the first one: nobody's
  for (unsigned stale = 0; stale < 1u << c.ranks; ++stale)
    by_ranks.push_back(computed(of_mistake(c, problem, {.squares = {.stale = stale}})));
  int64_t wrong = 0;
  for (size_t p = 0; p < by_ranks.front().size(); ++p) {
    const Part& part = by_ranks.front()[p].part;
    const HostTensor& y = tensor_of(outputs, part);
    const auto outside = [&](const WholePart& accepted, int64_t row) {
      int64_t count = 0;
      for (int64_t i = row * part.columns(); i < (row + 1) * part.columns(); ++i)
        count += !accepted.at(i).holds(*c.x, ordinal(*c.x, y.code(i)));
      return count;
    };
    for (int64_t row = 0; row < part.rows(); ++row) {
      const int64_t count = outside(by_ranks.front()[p], row);
      wrong += count;
      if (count > 0 &&
          std::none_of(by_ranks.begin(), by_ranks.end(), [&](const auto& parts) { return outside(parts[p], row) == 0; }))
        return "";
    }
  }
  return wrong == 0 ? ""
                    : "all " + std::to_string(wrong) +
                          " wrong elements: in rows whose factor has squares of the call before of some ranks";
}

std::vector<Hypothesis> sharded_hypotheses(const ShardedCase& c) {
  std::vector<Hypothesis> all;
  add_mistakes_of_ranks(all, c);
  std::vector<std::vector<Hypothesis>> of_matrices;
  for (const ShardedMatrix& matrix : c.matrices) of_matrices.push_back(find_op(matrix.norm_case.op).neighbours(matrix.norm_case));
  for (size_t i = 0; i < of_matrices.front().size(); ++i) {
    const Hypothesis& wrong = of_matrices.front()[i];
    std::vector<NormAnswer> norms;
    for (size_t matrix = 0; matrix < of_matrices.size(); ++matrix)
      for (const Hypothesis& same : of_matrices[matrix])
        if (same.name == wrong.name && norms.size() == matrix) norms.push_back(same.expect);
    if (norms.size() < c.matrices.size()) continue;  // a mistake that a matrix of this width cannot have
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

}  // namespace assay
