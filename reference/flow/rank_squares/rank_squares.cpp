#include "reference/flow/rank_squares/rank_squares.h"

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include "reference/contracts/row_cells.h"
#include "reference/flow/flow.h"
#include "reference/flow/rank_reduce/rank_reduce.h"
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
      throw row.error("sharded", 0, "'" + squares.norm + "' is not a norm of squares without residual");
  } catch (const std::out_of_range& error) {
    throw row.error("sharded", 0, error.what());
  }
}

}  // namespace

const Flow& rank_squares_flow() {
  static const Flow flow{
      .name = "rank_squares",
      .kind = FlowKind::kRankSquares,
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
      throw cells.error("shards", 0, "are 2 to " + std::to_string(kMostRanksOfRows));
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

}  // namespace assay
