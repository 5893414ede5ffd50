// The sum of squares of all ranks, and its edits.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "reference/flow/rank_squares/rank_squares.h"
#include "reference/flow/row_norm/row_norm.h"

namespace assay {
namespace {

/// A rank's numbers, whose squares `reader` adds.
std::vector<double> numbers_of(int rank, int reader, const std::vector<SquaresStep>& steps,
                               const std::vector<std::vector<double>>& x, const std::vector<std::vector<double>>& before) {
  std::vector<double> numbers = x[size_t(rank)];
  const auto scale = [&](double factor) {
    for (double& number : numbers) number *= factor;
  };
  for (const SquaresStep& step : steps) {
    const bool is_it = step.number == rank;
    switch (step.kind) {
      case SquaresStep::kDrop:
        if (is_it) std::fill(numbers.begin(), numbers.end(), 0.0);
        break;
      case SquaresStep::kRepeat:  // the numbers' own last bits are far below those of an f32 sum
        if (is_it) scale(std::numbers::sqrt2);
        break;
      case SquaresStep::kRecall:
        if (is_it && !before.empty()) numbers = before[size_t(rank)];
        break;
      case SquaresStep::kOwnAlone:
        if (rank != reader) numbers.clear();
        break;
      case SquaresStep::kByColumnsOfOne:  // all squares by fewer columns, likewise
        scale(std::sqrt(double(x.size())));
        break;
      case SquaresStep::kWholeAlone:
        std::fill(numbers.end() - std::ptrdiff_t(numbers.size() % size_t(step.number)), numbers.end(), 0.0);
        break;
    }
  }
  return numbers;
}

}  // namespace

Span factor_of_squares(const RankSquares& squares, const RowNorm& norm, const std::vector<std::vector<double>>& x,
                       const std::vector<std::vector<double>>& before, int rank, double eps, const Format& format) {
  std::vector<double> squared;
  for (int r = 0; r < int(x.size()); ++r) {
    const std::vector<double> numbers = numbers_of(r, rank, squares.steps, x, before);
    squared.insert(squared.end(), numbers.begin(), numbers.end());
  }
  return norm_factor(norm, norm_row(norm, squared, {}, format), eps);
}

std::vector<SquaresNeighbour> squares_neighbours(const RankSquares& contract, int world_size, bool before, int64_t whole) {
  std::vector<SquaresNeighbour> all;
  const auto add = [&](const std::string& name, SquaresStep step) {
    all.push_back({name, contract});
    all.back().contract.steps = {step};
  };
  for (int rank = 0; rank < world_size; ++rank) {
    const std::string name = "squares of rank " + std::to_string(rank);
    add(name + " are left out", {SquaresStep::kDrop, rank});
    add(name + " are counted twice", {SquaresStep::kRepeat, rank});
    if (before) add(name + " are those of the call before", {SquaresStep::kRecall, rank});
  }
  add("squares: each rank has its own alone", {SquaresStep::kOwnAlone});
  add("r: n -> the columns of one rank", {SquaresStep::kByColumnsOfOne});
  if (whole > 0) add("squares: columns of each rank behind whole warps are left out", {SquaresStep::kWholeAlone, whole});
  return all;
}

}  // namespace assay
