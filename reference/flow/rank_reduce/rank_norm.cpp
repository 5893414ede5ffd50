// Norms whose columns are sharded over ranks: rows, evaluation, and norms after an all-reduce.
#include "reference/flow/rank_reduce/rank_norm.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numbers>
#include <stdexcept>

#include "reference/contracts/contract_rows.h"
#include "reference/flow/combine/combine.h"
#include "reference/flow/contract.h"
#include "reference/flow/flow.h"
#include "reference/flow/rank_reduce/rank_reduce.h"
#include "reference/flow/row_norm/row_norm.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

Expression depth_of(const RowCells& cells) {
  try {
    Expression depth(cells.text("depth"));
    if (!depth.names().empty()) throw ParseError(0, "expected a number, got an expression of n");
    return depth;
  } catch (const ParseError& error) {
    throw cells.error("depth", error.position, error.what());
  }
}

void check_norm(const ContractTables& tables, const ContractRow& row) {
  const RankSquares squares = read_rank_squares(row);
  try {
    const Contract norm = bind(tables, squares.norm, kBf16);
    if (norm.links.size() != 1 || !norm.row_norm() || norm.row_norm()->adds() || norm.row_norm()->centers())
      throw row.error("sharded", 0, "'" + squares.norm + "': expected an RMS norm without residual");
  } catch (const std::out_of_range& error) {
    throw row.error("sharded", 0, error.what());
  }
}

}  // namespace

const Flow& rank_squares_flow() {
  static const Flow flow{
      .name = "rank_squares",
      .says = "sharded",
      .files = {"rank_squares.csv"},
      .columns = {"sharded", "shards", "numbers", "depth", "matrices"},
      .check = check_norm,
  };
  return flow;
}

bool RankSquares::takes(int world_size) const { return std::find(ranks.begin(), ranks.end(), world_size) != ranks.end(); }
bool RankSquares::takes(const Format& x) const { return std::find(formats.begin(), formats.end(), &x) != formats.end(); }

RankSquares read_rank_squares(const ContractRow& row) {
  const RowCells cells(row);
  RankSquares squares;
  squares.row = &row;
  squares.norm = cells.text("sharded");
  for (const std::string& text : cells.alternatives("shards")) {
    int ranks = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), ranks);
    if (failure != std::errc() || end != text.data() + text.size() || ranks < 2 || ranks > kMostRanksOfRows)
      throw cells.error("shards", 0, "'" + text + "': expected 2 to " + std::to_string(kMostRanksOfRows) + " ranks");
    squares.ranks.push_back(ranks);
  }
  squares.formats = cells.formats_of_numbers("numbers");
  squares.depth = depth_of(cells);
  squares.two_rows = cells.is_first_of("matrices", "two", "one");
  return squares;
}

Contract bind_rank_squares(const ContractTables& tables, const RankSquares& squares, const Format& x) {
  Contract contract = bind(tables, squares.norm, x);
  contract.id = squares.row->id;
  std::get<RowNorm>(contract.links.front()).depth = squares.depth;
  return contract;
}

// The sum of squares over all ranks, and its mutants.

namespace {

/// The elements of `rank` whose squares rank `reader` adds; for some mutants multiplied by a factor.
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
      case SquaresStep::kRepeat:  // doubles the squares; the factor's rounding in double is far below the last bit of an f32 sum
        if (is_it) scale(std::numbers::sqrt2);
        break;
      case SquaresStep::kRecall:
        if (is_it && !before.empty()) numbers = before[size_t(rank)];
        break;
      case SquaresStep::kOwnAlone:
        if (rank != reader) numbers.clear();
        break;
      case SquaresStep::kByColumnsOfOne:  // the mean becomes too large: it is multiplied by the number of ranks
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

namespace {

/// Checks the contracts that a row names. The all-reduce must accept one result, so that all ranks continue with the same value.
/// The norm must add a residual.
void check_parts(const ContractTables& tables, const ContractRow& row) {
  const ContractRow& reduce = named_row(tables, row, "reduce");
  if (reduce.flow != &rank_reduce_flow())
    throw row.error("reduce", 0, "'" + reduce.id + "' is a " + reduce.flow->name + " row; expected rank_reduce");
  const RankReduce sum = read_rank_reduce(reduce);
  if (sum.order == RankOrder::kAnyTree || sum.owners.any)
    throw row.error("reduce", 0,
                    "'" + reduce.id + "' allows several orders of addition; expected an all-reduce with a single result");
  const Contract then = bind(tables, named_row(tables, row, "then").id, kBf16);
  if (!then.row_norm() || !then.row_norm()->adds())
    throw row.error("then", 0, "'" + then.id + "' is not a norm with a residual");
  if (row.text("combine").empty()) return;
  const ContractRow& combine = named_row(tables, row, "combine");
  if (combine.flow != &combine_flow())
    throw row.error("combine", 0, "'" + combine.id + "' is a " + combine.flow->name + " row; expected combine");
  const Combine rows = read_combine(combine);
  if (std::any_of(rows.add.begin(), rows.add.end(), [](const CellStep& step) { return step.slack.fma; }) || rows.keeps_unrouted)
    throw row.error("combine", 0,
                    "'" + combine.id + "' has more than one accepted result; expected a contract that pins every sum");
}

}  // namespace

const Flow& rank_norm_flow() {
  static const Flow flow{
      .name = "rank_norm",
      .says = "reduce",
      .files = {"rank_norm.csv"},
      .columns = {"reduce", "then"},
      .optional = {"combine"},
      .check = check_parts,
  };
  return flow;
}

RankNorm read_rank_norm(const ContractRow& row) { return {row.text("combine"), row.text("reduce"), row.text("then")}; }

}  // namespace assay
