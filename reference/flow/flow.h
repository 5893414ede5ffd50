// A flow is an op kind: the evaluator for one kind of contract row. This file declares what each op kind provides, and the list
// of all. Each op kind has its own folder.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "reference/contracts/contract_rows.h"
#include "reference/flow/contract.h"

namespace assay {

class RowEdits;

/// Where a stage may be in a chain.
enum class ChainPlace { kAnywhere, kFirst, kLast };

/// What an op kind provides if its contracts are functions of one row. Its contracts can be stages of a chain.
struct LinkFlow {
  std::vector<std::string> steps;          ///< columns whose cells are steps, which mutants change
  ChainPlace place = ChainPlace::kAnywhere;
  std::string place_words = {};            ///< error message for a chain with this stage in another place
  Link (*bind)(const RowCells& cells, const Format& x);
  void (*edits)(RowEdits& row);            ///< adds every mutant of a row
  /// Names of a row's inputs other than x: "gamma", "scale", "azp", "up", ...
  std::vector<std::string> (*inputs)(const ContractRow& row);
};

struct Flow {
  std::string name;                        ///< name in chains and reports, such as "group_quant"
  std::string says;                        ///< the column whose presence marks a table as belonging to this op kind
  std::vector<std::string> files;          ///< table files in the folder of contracts
  std::vector<std::string> columns;        ///< required columns, besides id, since, until, source and why
  std::vector<std::string> optional = {};  ///< optional columns; missing cells are empty
  /// Checks every cell of a row. Throws TableError. nullptr: every row that can be bound is valid.
  void (*check)(const ContractTables& tables, const ContractRow& row) = nullptr;
  std::optional<LinkFlow> link = {};       ///< empty for chains, and for op kinds with their own contract type, such as GEMMs
};

/// In loading order; chains follow the rows they name. A table belongs to the first op kind whose `says` is one of its columns.
std::span<const Flow* const> all_flows();

/// Throws std::out_of_range that lists similar names.
const Flow& flow_named(const std::string& name);

/// True if the contract, or a stage of its chain, takes `input`: "residual", "beta", "scale", "up", ...
bool takes(const ContractTables& tables, const ContractRow& row, const std::string& input);

/// True if the row is a contract of a GEMM, also of one with an undocumented kernel.
bool is_product(const ContractRow& row);

/// True if the row computes codes and its column `layouts` names the layouts of their scales.
bool is_quantization(const ContractRow& row);

}  // namespace assay
