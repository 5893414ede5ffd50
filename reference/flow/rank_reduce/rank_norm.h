// Norms whose columns are spread over ranks, and norms behind an all-reduce.
#pragma once

#include <string>
#include <vector>

#include "reference/contracts/contract_rows.h"
#include "reference/flow/contract.h"
#include "reference/recipe/recipe.h"

namespace assay {

// A row of contracts/rank_squares.csv: the norm of a row whose columns ranks share. What crosses ranks is the sum of squares.

/// The row of the registry.
const Flow& rank_squares_flow();

/// What becomes of a row's squares on their way to the sum. No row says any.
struct SquaresStep {
  enum Kind {
    kDrop,            ///< those of a rank are not added
    kRepeat,          ///< they are added twice
    kRecall,          ///< they are those of the call before, if there was one
    kOwnAlone,        ///< each rank has its own alone, and its own columns
    kByColumnsOfOne,  ///< the sum of all is divided by the columns of one rank
    kWholeAlone       ///< columns behind the last multiple of so many are left out on every rank
  } kind;
  int64_t number = 0;  ///< a rank, or columns
};

struct RankSquares {
  const ContractRow* row = nullptr;
  std::string norm;                    ///< id of the norm that the whole row has
  std::vector<int> ranks;              ///< numbers of ranks that it is made for, ascending
  std::vector<const Format*> formats;  ///< of numbers, weights and result
  Expression depth{"0"};           ///< additions that a square may pass through on its way to the sum, those of ranks among them
  bool two_rows = false;           ///< a call norms two matrices of its own columns each, q and k
  std::vector<SquaresStep> steps;  ///< one after the other

  bool takes(int world_size) const;
  bool takes(const Format& x) const;
};

/// Throws TableError at the cell.
RankSquares read_rank_squares(const ContractRow& row);

/// The norm of the whole row, with the sum's own depth, under the id of the row. Throws as bind().
Contract bind_rank_squares(const ContractTables& tables, const RankSquares& squares, const Format& x);

/// The factor of a row on that rank. `x`: the row's columns of each rank; `before`: of the call before, or empty.
Span factor_of_squares(const RankSquares& squares, const RowNorm& norm, const std::vector<std::vector<double>>& x,
                       const std::vector<std::vector<double>>& before, int rank, double eps, const Format& format);

/// A contract with one step more.
struct SquaresNeighbour {
  std::string name;  ///< "squares of rank 3 are left out"
  RankSquares contract;
};

/// Every edit of the squares of so many ranks. `before`: a call was made before with other numbers. `whole`: columns of a rank
/// are no multiple of so many, of which a kernel may take whole ones alone; 0: they are.
std::vector<SquaresNeighbour> squares_neighbours(const RankSquares& contract, int world_size, bool before, int64_t whole);

// A row of contracts/rank_norm.csv: an all-reduce, and what every rank makes of its rows.

/// The row of the registry.
const Flow& rank_norm_flow();

/// Ids of both, in the order in which they run.
struct RankNorm {
  std::string reduce, then;
};
RankNorm read_rank_norm(const ContractRow& row);

}  // namespace assay
