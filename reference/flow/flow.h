// A flow is one kind of contract row; this is its description, and the list of all flows. What a flow does lies in its own file.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "reference/contracts/contract_rows.h"
#include "reference/flow/contract.h"

namespace assay {

class RowEdits;

/// Where a link may be in a chain.
enum class ChainPlace { kAnywhere, kFirst, kLast };

/// What a flow needs whose rows are functions of one row of numbers, the links of chains.
struct LinkFlow {
  std::vector<std::string> steps;          ///< columns whose cells are steps, which mutants change
  ChainPlace place = ChainPlace::kAnywhere;
  std::string place_words = {};            ///< the error for a chain that has it elsewhere
  Link (*bind)(const RowCells& cells, const Format& x);
  void (*edits)(RowEdits& row);            ///< adds every mistake that can be made in a row
  /// Names of what a row takes beside x: "gamma", "scale", "azp", "up", ...
  std::vector<std::string> (*inputs)(const ContractRow& row);
};

struct Flow {
  std::string name;                        ///< "group_quant", as chains and reports write it
  std::string says;                        ///< the column by which a table says that its rows are of this flow
  std::vector<std::string> files;          ///< tables in the folder of contracts
  std::vector<std::string> columns;        ///< that such a table has, beside id and since, until, source, why
  std::vector<std::string> optional = {};  ///< that it may lack: these cells are empty then
  /// Reads every cell of a row. Throws TableError. Null: a row is right if it binds.
  void (*check)(const ContractTables& tables, const ContractRow& row) = nullptr;
  std::optional<LinkFlow> link = {};       ///< nothing for a chain and for a flow with a contract of its own, such as a GEMM
};

/// In the order in which tables are loaded. A table belongs to the first flow whose column `says` it has. Chains come after the
/// rows that they name.
std::span<const Flow* const> all_flows();

/// Throws std::out_of_range that lists similar names.
const Flow& flow_named(const std::string& name);

/// Whether the contract takes `input` beside x, in its row or in a link of its chain: "residual", "beta", "scale", "up", ...
bool takes(const ContractTables& tables, const ContractRow& row, const std::string& input);

/// Whether the row is a GEMM, with a known unit or an unknown kernel.
bool is_product(const ContractRow& row);

/// Whether the row produces codes and names the layouts of their scales.
bool is_quantization(const ContractRow& row);

}  // namespace assay
