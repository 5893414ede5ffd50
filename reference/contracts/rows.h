// The contract tables as written: rows of cells with positions.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "reference/table/table.h"

namespace assay {

struct Flow;

/// A row of a contract table. Ids are never reused: a changed row gets a new one.
struct ContractRow {
  std::string id;
  const Flow* flow = nullptr;  ///< its op kind, flow/registry.h
  std::string file;
  int line = 0;
  std::map<std::string, TableCell> cells;

  /// Converts a table row to a contract of that op kind. A missing column is an empty cell.
  static ContractRow read(const Table& table, const TableRow& row, const Flow& flow, const std::vector<std::string>& columns) {
    ContractRow contract{table.text(row, "id"), &flow, table.file, row.line, {}};
    for (const std::string& column : columns)
      contract.cells[column] = table.has_column(column) ? table.cell(row, column) : TableCell{"", row.line, 1};
    return contract;
  }

  const std::string& text(const std::string& column) const { return cells.at(column).text; }
  /// Creates the error for a position in a cell, `offset` characters into it.
  TableError error(const std::string& column, size_t offset, const std::string& problem) const {
    const TableCell& cell = cells.at(column);
    return TableError(file, cell.line, cell.column + int(offset), column, problem);
  }
};

/// Whether it is a single row function whose cells (or those of the rows it names) are recipes. False for a cast, a packing, and
/// a launch, which is two.
bool has_recipes(const ContractRow& row);

class ContractTables {
 public:
  /// Reads the contract tables of a folder and retired.csv, and checks every cell. Throws TableError.
  static ContractTables load(const std::string& folder);

  /// Adds a user's rows; the columns determine the op kind. Throws TableError, also for an id that exists or existed.
  void add(const std::string& file);

  /// Throws std::out_of_range with similar ids, or with the replacement of a retired row.
  const ContractRow& find(const std::string& id) const;
  /// nullptr if there is none.
  const ContractRow* lookup(const std::string& id) const;
  const std::vector<ContractRow>& rows() const { return rows_; }
  std::vector<std::string> ids() const;

 private:
  struct Retired {
    std::string now, why;
  };
  std::vector<ContractRow> rows_;
  std::map<std::string, Retired> retired_;  ///< by id
};

/// Row ids of a chain cell, "row_norm=a > group_quant=b", in order. A plain row is a chain of itself.
std::vector<std::string> chain_of(const ContractRow& row);

}  // namespace assay
