// What a flow is: the row of the registry for one kind of contract row. What it does lies in its own folder.
#pragma once

#include <string>
#include <vector>

#include "reference/contracts/bind.h"
#include "reference/contracts/row_cells.h"
#include "reference/contracts/rows.h"

namespace assay {

class RowEdits;

/// What a contract row of the flow is. Links are functions of one row of numbers, chains are made of links; the others have a
/// contract of their own, such as a GEMM or an all-reduce.
enum class FlowKind { kLink, kChain, kLaunch, kPacking, kCast, kDot, kDotUnknown, kRankReduce, kRankNorm, kRankSquares, kContiguity, kShuffle };

/// Where a link may are in a chain.
enum class ChainPlace { kAnywhere, kFirst, kLast };

struct Flow {
  std::string name;                          ///< "group_quant", as chains and reports write it
  FlowKind kind;
  std::string says;                          ///< the column by which a table says that its rows are of this flow
  std::vector<std::string> files;            ///< tables in the folder of contracts
  std::vector<std::string> columns;          ///< that such a table has, beside id and since, until, source, why
  std::vector<std::string> optional = {};    ///< that it may lack: these cells are empty then
  /// Reads every cell of a row. Throws TableError. Null: a row is right if it binds.
  void (*check)(const ContractTables& tables, const ContractRow& row) = nullptr;

  // Of a link alone.
  std::vector<std::string> steps = {};       ///< columns whose cells are steps, which edits change
  ChainPlace place = ChainPlace::kAnywhere;
  std::string place_words = {};              ///< what a chain is told that has it elsewhere
  Link (*bind)(const RowCells& cells, const Format& x) = nullptr;
  void (*edits)(RowEdits& row) = nullptr;    ///< adds every mistake that can be made in a row
  /// Names of what a row takes beside x: "gamma", "scale", "azp", "up", ...
  std::vector<std::string> (*inputs)(const ContractRow& row) = nullptr;
};

}  // namespace assay
