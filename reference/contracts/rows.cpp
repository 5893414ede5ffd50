#include "reference/contracts/rows.h"

#include <algorithm>
#include <sstream>
#include <stdexcept>

#include "reference/contracts/bind.h"
#include "reference/table/near.h"

namespace assay {
namespace {

struct TableKind {
  std::vector<const char*> files;  ///< in the folder of contracts; a chain stands after the rows that it names
  const char* flow;
  std::vector<std::string> columns;
  std::vector<std::string> optional = {};  ///< a table may lack these: their cells are empty then
};

const std::vector<TableKind>& table_kinds() {
  static const std::vector<std::string> history = {"since", "until", "source", "why"};
  static const auto with_history = [](std::vector<std::string> columns) {
    columns.insert(columns.end(), history.begin(), history.end());
    return columns;
  };
  static const std::vector<TableKind> kinds = {
      {{"quant_azp.csv"},
       "quant_azp",
       with_history({"id", "lo", "hi", "q", "L", "scale", "zero", "mult", "code", "group", "layouts", "pad"})},
      {{"cache.csv"},
       "cache_insert",
       with_history({"id", "record", "q", "M", "amax", "scale", "mult", "code", "group"}),
       {"pad"}},
      {{"quant.csv", "quant_int8.csv", "quant_tile.csv", "quant_static.csv", "quant_mx.csv", "quant_transposed.csv",
        "quant_silu.csv", "quant_norm.csv"},
       "group_quant",
       with_history({"id", "q", "M", "amax", "scale", "mult", "code", "group", "layouts", "pad"})},
      {{"norm.csv", "norm_add.csv", "norm_opus.csv", "norm_rope.csv", "norm_layer.csv"},
       "row_norm",
       with_history({"id", "sum", "depth", "r", "y"}),
       {"z", "residual", "stored_from", "w", "mean"}},
      {{"activation.csv"}, "gated", with_history({"id", "halves", "h"})},
      {{"rope.csv"}, "rope", with_history({"id", "pairs", "dims", "cache", "even", "odd", "rest"})},
      {{"fused.csv", "fused_silu.csv", "fused_norm.csv", "fused_cache.csv", "fused_rope.csv"}, "chain", with_history({"id", "chain"})},
      {{"launch.csv"}, "launch", with_history({"id", "heads", "insert"})},
      {{"quant_pack.csv"}, "pack", with_history({"id", "word", "domain", "takes", "layouts", "pad"})},
      {{"casts.csv"},
       "cast",
       with_history(
           {"id", "format", "from", "rounding", "overflow", "infinity", "nan", "minus_nan", "negative", "zero", "anomaly"})}};
  return kinds;
}

const TableKind& kind_of(const Table& table) {
  for (const TableKind& kind : table_kinds())
    if (table.has_column(kind.columns[1])) return kind;
  throw TableError(table.file, 1, 1, "",
                   "no column says which flow this is: a contract table has a column q, lo, sum, halves, pairs, chain, heads, word, record "
                   "or format");
}

}  // namespace

TableError ContractRow::error(const std::string& column, size_t offset, const std::string& problem) const {
  const TableCell& cell = cells.at(column);
  return TableError(file, cell.line, cell.column + int(offset), column, problem);
}

ContractTables ContractTables::load(const std::string& folder) {
  ContractTables tables;
  for (const TableKind& kind : table_kinds())
    for (const char* file : kind.files) tables.add(folder + "/" + file);
  return tables;
}

void ContractTables::add(const std::string& file) {
  const Table table = read_table(file);
  const TableKind& kind = kind_of(table);
  table.require_columns(kind.columns);
  std::vector<std::string> allowed = kind.columns;
  allowed.insert(allowed.end(), kind.optional.begin(), kind.optional.end());
  table.allow_columns(allowed);
  const size_t first = rows_.size();
  for (const TableRow& row : table.rows) {
    ContractRow contract{table.text(row, "id"), kind.flow, table.file, row.line, {}};
    for (const std::string& column : allowed)
      contract.cells[column] = table.has_column(column) ? table.cell(row, column) : TableCell{"", row.line, 1};
    if (contract.id.empty()) throw table.error(row, "id", "a contract needs an id");
    for (const ContractRow& other : rows_)
      if (other.id == contract.id)
        throw table.error(row, "id",
                          "'" + contract.id + "' stands in " + other.file + ":" + std::to_string(other.line) +
                              " already; ids are never reused");
    rows_.push_back(std::move(contract));
  }
  for (size_t i = first; i < rows_.size(); ++i) check(*this, rows_[i]);
}

bool has_recipes(const ContractRow& row) { return row.flow != "cast" && row.flow != "pack" && row.flow != "launch"; }

const ContractRow& ContractTables::find(const std::string& id) const {
  for (const ContractRow& row : rows_)
    if (row.id == id) return row;
  throw std::out_of_range("unknown contract '" + id + "'" + did_you_mean(id, ids()));
}

std::vector<std::string> ContractTables::ids() const {
  std::vector<std::string> ids;
  for (const ContractRow& row : rows_) ids.push_back(row.id);
  return ids;
}

std::vector<std::string> chain_of(const ContractRow& row) {
  if (row.flow != "chain") return {row.id};
  std::vector<std::string> ids;
  std::istringstream words(row.text("chain"));
  for (std::string word; words >> word;) {
    if (word == ">") continue;
    ids.push_back(word.substr(word.find('=') + 1));
  }
  return ids;
}

}  // namespace assay
