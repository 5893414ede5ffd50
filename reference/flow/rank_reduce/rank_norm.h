// Norms of rows whose columns are sharded over ranks, and norms after an all-reduce.
#pragma once

#include <string>
#include <vector>

#include "reference/contracts/contract_rows.h"
#include "reference/flow/contract.h"
#include "reference/recipe/recipe.h"

namespace assay {

// Contracts of contracts/rank_squares.csv: the norm of a matrix row whose columns are sharded over ranks. The ranks exchange
// their sums of squares.

/// The registry entry of this op kind.
const Flow& rank_squares_flow();

/// A mutant's mistake in how the squares of a row are added over the ranks.
struct SquaresStep {
  enum Kind {
    kDrop,            ///< the squares of a rank are not added
    kRepeat,          ///< the squares of a rank are added twice
    kRecall,          ///< the squares of a rank come from its data of the previous call, if there was one
    kOwnAlone,        ///< each rank's mean covers only its own columns: the ranks do not exchange sums
    kByColumnsOfOne,  ///< the sum over all ranks is divided by one rank's number of columns
    kWholeAlone       ///< columns after the last whole multiple of `number` columns are left out, on every rank
  } kind;
  int64_t number = 0;  ///< the rank, or the number of columns
};

struct RankSquares {
  const ContractRow* row = nullptr;
  std::string norm;                    ///< id of the norm that applies to the whole row
  std::vector<int> ranks;              ///< supported numbers of ranks, ascending
  std::vector<const Format*> formats;  ///< formats of elements, weights and result
  Expression depth{"0"};               ///< most additions that a square passes through on its way to the sum over all ranks
  bool two_rows = false;               ///< a call normalizes two matrices, q and k, each with its own columns
  std::vector<SquaresStep> steps;      ///< applied in order

  bool takes(int world_size) const;
  bool takes(const Format& x) const;
};

/// Throws TableError at the cell.
RankSquares read_rank_squares(const ContractRow& row);

/// The contract `squares.norm` for the whole matrix row, with the id and depth of `squares`. Throws as bind() does.
Contract bind_rank_squares(const ContractTables& tables, const RankSquares& squares, const Format& x);

/// The factor r of a row on one rank. `x`: the row's elements, by rank; `before`: the same for the previous call, or empty.
Span factor_of_squares(const RankSquares& squares, const RowNorm& norm, const std::vector<std::vector<double>>& x,
                       const std::vector<std::vector<double>>& before, int rank, double eps, const Format& format);

/// A contract with one mistake.
struct SquaresNeighbour {
  std::string name;  ///< such as "squares of rank 3 are left out"
  RankSquares contract;
};

/// Every mutant of the squares for `world_size` ranks. `before`: there was a previous call with other data. `whole`: one mutant
/// adds only the first n / whole * whole of a rank's n columns; 0: no such mutant, since these are all columns.
std::vector<SquaresNeighbour> squares_neighbours(const RankSquares& contract, int world_size, bool before, int64_t whole);

// Contracts of contracts/rank_norm.csv: each rank adds the rows of its experts (optional), the ranks all-reduce the results, and
// each rank applies a norm to its rows.

/// The registry entry of this op kind.
const Flow& rank_norm_flow();

/// Contract ids of the steps, in the order in which they run. `combine` is empty if x is reduced without a combine step.
struct RankNorm {
  std::string combine, reduce, then;
};
RankNorm read_rank_norm(const ContractRow& row);

}  // namespace assay
