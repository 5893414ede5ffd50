// A row of contracts/rank_squares.csv: the norm of a row whose columns ranks share. What crosses ranks is the sum of squares.
#pragma once

#include <string>
#include <vector>

#include "reference/contracts/bind.h"
#include "reference/contracts/rows.h"
#include "reference/recipe/span.h"

namespace assay {

/// The row of the registry.
const Flow& rank_squares_flow();

struct RankSquares {
  const ContractRow* row = nullptr;
  std::string norm;                    ///< id of the norm that the whole row has
  std::vector<int> ranks;              ///< numbers of ranks that it is made for, ascending
  std::vector<const Format*> formats;  ///< of numbers, weights and result
  Expression depth{"0"};  ///< additions that a square may pass through on its way to the sum, those of ranks among them
  bool two_rows = false;  ///< a call norms two matrices of its own columns each, q and k

  bool takes(int world_size) const;
  bool takes(const Format& x) const;
};

/// Throws TableError at the cell.
RankSquares read_rank_squares(const ContractRow& row);

/// The norm of the whole row, with the sum's own depth, under the id of the row. Throws as bind().
Contract bind_rank_squares(const ContractTables& tables, const RankSquares& squares, const Format& x);

/// What somebody may do wrong about the sum of a rank, in squares of all columns. Ranks count from 0; -1: none.
struct SquaresMistake {
  int lost = -1;                ///< whose squares are not added
  int twice = -1;               ///< whose squares are added twice
  unsigned stale = 0;           ///< ranks, a bit each, whose squares are those of the call before
  bool own_alone = false;       ///< each rank has its own squares alone, and its own columns
  bool columns_of_one = false;  ///< the sum of all is divided by the columns of one rank
  int64_t whole = 1;            ///< columns behind the last multiple of so many are left out on every rank
};

/// The factor of a row on that rank. `x`: the row's columns of each rank; `before`: of the call before, or empty.
Span factor_of_squares(const RowNorm& norm, const std::vector<std::vector<double>>& x,
                       const std::vector<std::vector<double>>& before, int rank, double eps, const SquaresMistake& mistake,
                       const Format& format);

}  // namespace assay
