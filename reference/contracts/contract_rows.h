// The contract tables as text: rows whose cells know their line and column, and functions that parse a row's cells while a
// contract is built from the row.
#pragma once

#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

#include "reference/recipe/recipe.h"
#include "reference/table/table.h"

namespace assay {

struct Flow;

/// A row of a contract table. Ids are never reused: a changed row gets a new one.
struct ContractRow {
  std::string id;
  const Flow* flow = nullptr;  ///< one of all_flows(), flow/flow.h
  std::string file;
  int line = 0;
  std::map<std::string, TableCell> cells;

  /// Converts a table row to a contract of op kind `flow`. A column that the table lacks is an empty cell.
  static ContractRow read(const Table& table, const TableRow& row, const Flow& flow, const std::vector<std::string>& columns) {
    ContractRow contract{table.text(row, "id"), &flow, table.file, row.line, {}};
    for (const std::string& column : columns)
      contract.cells[column] = table.has_column(column) ? table.cell(row, column) : TableCell{"", row.line, 1};
    return contract;
  }

  const std::string& text(const std::string& column) const { return cells.at(column).text; }
  /// The error to throw about character `offset` of a cell.
  TableError error(const std::string& column, size_t offset, const std::string& problem) const {
    const TableCell& cell = cells.at(column);
    return TableError(file, cell.line, cell.column + int(offset), column, problem);
  }
};

/// A cell that differs between two rows. Its text is empty for a row that lacks the column.
struct CellDifference {
  std::string column, one, other;
};
/// The cells that differ, by column, except columns that do not affect results: id, why, source, since, until.
std::vector<CellDifference> differing_cells(const ContractRow& one, const ContractRow& other);

/// True if the row's cells are recipes. For a chain: if the cells of the rows that it names are recipes. False for all other op
/// kinds, such as casts, packings, launches and GEMMs.
bool has_recipes(const ContractRow& row);

class ContractTables {
 public:
  // load() and add() are defined in flow/registry.cpp, which lists the op kinds. load() reads retired.csv and all contract tables
  // of a folder, and checks every cell. It throws TableError.
  static ContractTables load(const std::string& folder);

  /// Adds a user's rows; the column names determine the op kind. Throws TableError, also for the id of a present or retired row.
  void add(const std::string& file);

  /// Throws std::out_of_range that lists similar ids or, for the id of a retired row, names the row that replaced it.
  const ContractRow& find(const std::string& id) const;
  /// Returns nullptr if there is no such row.
  const ContractRow* lookup(const std::string& id) const;
  const std::vector<ContractRow>& rows() const { return rows_; }
  std::vector<std::string> ids() const;

 private:
  struct Retired {
    std::string now, why;
  };
  std::vector<ContractRow> rows_;
  std::unordered_map<std::string, size_t> places_;  ///< index of each row, by id
  std::map<std::string, Retired> retired_;          ///< keyed by id
};

/// The row ids in a chain cell, "row_norm=a > group_quant=b", in order. If the row is no chain: its own id only.
std::vector<std::string> chain_of(const ContractRow& row);

// Parses the cells of a row, as they are in the table or changed by a mutation. Errors name the position in the table.

class RowCells {
 public:
  explicit RowCells(const ContractRow& row) : row_(row) {}

  const ContractRow& row() const { return row_; }
  const std::string& id() const { return row_.id; }
  const std::string& text(const std::string& column) const { return row_.text(column); }
  /// The error to throw about character `offset` of a cell.
  TableError error(const std::string& column, size_t offset, const std::string& problem) const {
    return row_.error(column, offset, problem);
  }

  /// The steps of a cell: the steps given to set_steps(), or else the parsed text. Throws TableError.
  std::vector<CellStep> steps(const std::string& column) const;
  void set_steps(const std::string& column, std::vector<CellStep> steps) { edited_[column] = std::move(steps); }
  /// The recipe of a cell, with all names resolved. Throws TableError.
  Recipe recipe(const std::string& column, const Names& names) const;
  /// Requires that the recipe of a cell begins with a reduction. Throws TableError that lists the `allowed` reductions.
  void require_reduction(const std::string& column, const Recipe& recipe, const char* allowed) const;
  /// Requires that the recipe of a cell begins with no reduction. Throws TableError.
  void forbid_reduction(const std::string& column, const Recipe& recipe) const;
  /// For a cell that must be one of two words: true if it is `one`. Throws TableError for any other text.
  bool is_first_of(const std::string& column, const std::string& one, const std::string& other) const;
  /// The nonnegative integer in a cell. Throws TableError.
  int64_t column_number(const std::string& column) const;
  /// The format of codes that a cell names. Throws TableError that lists similar names.
  const Format& format(const std::string& column) const;
  /// The alternatives in a cell, which | separates; empty for an empty cell.
  std::vector<std::string> alternatives(const std::string& column) const;
  /// The input formats in a cell, which | separates: f32, bf16 or f16. Throws TableError for other words.
  std::vector<const Format*> formats_of_numbers(const std::string& column) const;

 private:
  const ContractRow& row_;
  std::map<std::string, std::vector<CellStep>> edited_;
};

// Rows whose cells name other rows: a launch names its two halves, an all-reduce the norm that follows it.

/// Returns the row whose id is in that cell. Throws TableError if there is none.
inline const ContractRow& named_row(const ContractTables& tables, const ContractRow& row, const char* column) {
  try {
    return tables.find(row.text(column));
  } catch (const std::out_of_range& error) {
    throw row.error(column, 0, error.what());
  }
}

// Releases of the code behind a contract row: its cells `since` and `until`.

/// A range of releases: `from` is the first that behaves as the row says, `to` the first that no longer does. Either may be
/// empty. `from` is "unmerged" for code that exists only on a branch.
struct Period {
  std::string from, to;
};

/// The ranges in the cells `since` and `until`. `since` "v0.20.0; v0.24.0" and `until` "v0.23.0" are two: v0.20.0 to v0.23.0, and
/// from v0.24.0 on. A row without a release has one range with both ends empty.
std::vector<Period> periods_of(const ContractRow& row);

/// "from v0.20.0 before v0.23.0, from v0.24.0". Empty if neither `since` nor `until` is known.
std::string releases_of(const ContractRow& row);

/// Whether the newest release behaves as the row says: the last range has no end. False for code that exists only on a branch.
bool is_current(const ContractRow& row);

/// Whether the words are a release such as "v0.33.0" or "0.33", or a date such as "2026-06-18".
bool is_release(const std::string& words);

/// Whether `release` of the row's package behaves as the row says. No value if this is unknown: `since` is empty, or one of
/// `since` and `release` is a date and the other is not.
std::optional<bool> in_release(const ContractRow& row, const std::string& release);

}  // namespace assay
