// Defines a flow: the registry entry for one kind of contract row. Its implementation is in its own folder.
#pragma once

#include <string>
#include <vector>

#include "reference/contracts/bind.h"
#include "reference/contracts/row_cells.h"
#include "reference/contracts/rows.h"

namespace assay {

class RowEdits;

/// Kind of contract row of a flow. A link is a function of one row of numbers; a chain consists of links; the other kinds have
/// contracts of their own, such as a GEMM or an all-reduce.
enum class FlowKind { kLink, kChain, kLaunch, kPacking, kCast, kDot, kDotUnknown, kRankReduce, kRankNorm, kRankSquares, kContiguity, kShuffle };

/// Allowed position of a link in a chain.
enum class ChainPlace { kAnywhere, kFirst, kLast };

struct Flow {
  std::string name;                          ///< "group_quant", as in chains and reports
  FlowKind kind;
  std::string says;                          ///< the column that identifies a table of this flow
  std::vector<std::string> files;            ///< tables in the contracts folder
  std::vector<std::string> columns;          ///< required columns of such a table, beside id, since, until, source, why
  std::vector<std::string> optional = {};    ///< columns that may be missing; their cells are then empty
  /// Validates every cell of a row. Throws TableError. Null: a row is valid if it binds.
  void (*check)(const ContractTables& tables, const ContractRow& row) = nullptr;

  // The rest is for links only.
  std::vector<std::string> steps = {};       ///< columns whose cells hold steps, which edits change
  ChainPlace place = ChainPlace::kAnywhere;
  std::string place_words = {};              ///< error text for a chain with this link in another place
  Link (*bind)(const RowCells& cells, const Format& x) = nullptr;
  void (*edits)(RowEdits& row) = nullptr;    ///< adds every single mistake in a row
  /// Names of the inputs of a row beside x: "gamma", "scale", "azp", "up", ...
  std::vector<std::string> (*inputs)(const ContractRow& row) = nullptr;
};

}  // namespace assay
