// The contract tables as written: rows of cells that know their position, and the functions that read a cell while its row is
// bound.
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

  /// Converts a table row to a contract of that op kind. A missing column is an empty cell.
  static ContractRow read(const Table& table, const TableRow& row, const Flow& flow, const std::vector<std::string>& columns) {
    ContractRow contract{table.text(row, "id"), &flow, table.file, row.line, {}};
    for (const std::string& column : columns)
      contract.cells[column] = table.has_column(column) ? table.cell(row, column) : TableCell{"", row.line, 1};
    return contract;
  }

  const std::string& text(const std::string& column) const { return cells.at(column).text; }
  /// Creates an error that points `offset` characters into a cell.
  TableError error(const std::string& column, size_t offset, const std::string& problem) const {
    const TableCell& cell = cells.at(column);
    return TableError(file, cell.line, cell.column + int(offset), column, problem);
  }
};

/// True for a row function or a chain of them: its cells, or the cells of the rows that it names, are recipes. False for all
/// other op kinds, such as casts, packings, launches and GEMMs.
bool has_recipes(const ContractRow& row);

class ContractTables {
 public:
  // load() and add() are defined in flow/registry.cpp, which knows the op kinds. load() reads retired.csv and the contract
  // tables of a folder, and checks every cell. Throws TableError.
  static ContractTables load(const std::string& folder);

  /// Adds a user's rows; the columns determine the op kind. Throws TableError, also for an id that exists or existed.
  void add(const std::string& file);

  /// Throws std::out_of_range with similar ids, or with the replacement of a retired row.
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

/// Row ids of a chain cell, "row_norm=a > group_quant=b", in order. For a row that is no chain, only its own id.
std::vector<std::string> chain_of(const ContractRow& row);

// The cells of a row while it is bound. They come from its table or from a mutation; errors name their position.

class RowCells {
 public:
  explicit RowCells(const ContractRow& row) : row_(row) {}

  const ContractRow& row() const { return row_; }
  const std::string& id() const { return row_.id; }
  const std::string& text(const std::string& column) const { return row_.text(column); }
  /// Creates an error that points `offset` characters into a cell.
  TableError error(const std::string& column, size_t offset, const std::string& problem) const {
    return row_.error(column, offset, problem);
  }

  /// The parsed or edited steps of a cell. Throws TableError.
  std::vector<CellStep> steps(const std::string& column) const;
  void set_steps(const std::string& column, std::vector<CellStep> steps) { edited_[column] = std::move(steps); }
  /// A cell of steps with resolved names. Throws TableError.
  Recipe recipe(const std::string& column, const Names& names) const;
  /// Requires that a cell begins with a reduction. Throws TableError listing the `allowed` ones.
  void require_reduction(const std::string& column, const Recipe& recipe, const char* allowed) const;
  /// Requires that a cell takes a single number, without a reduction. Throws TableError.
  void forbid_reduction(const std::string& column, const Recipe& recipe) const;
  /// For a cell with one of two words: true if it is the first. Throws TableError for any other word.
  bool is_first_of(const std::string& column, const std::string& one, const std::string& other) const;
  /// A nonnegative integer. Throws TableError.
  int64_t column_number(const std::string& column) const;
  /// A format of codes. Throws TableError with similar names.
  const Format& format(const std::string& column) const;
  /// The alternatives of a cell, separated by |; empty for an empty cell.
  std::vector<std::string> alternatives(const std::string& column) const;
  /// Alternatives that are input formats: f32, bf16, f16. Throws TableError.
  std::vector<const Format*> formats_of_numbers(const std::string& column) const;

 private:
  const ContractRow& row_;
  std::map<std::string, std::vector<CellStep>> edited_;
};

// Rows whose cells name other rows, such as the two halves of a launch, or the norm after an all-reduce.

/// Returns the row whose id is in that cell. Throws TableError if there is none.
inline const ContractRow& named_row(const ContractTables& tables, const ContractRow& row, const char* column) {
  try {
    return tables.find(row.text(column));
  } catch (const std::out_of_range& error) {
    throw row.error(column, 0, error.what());
  }
}

// Releases of the code behind a contract row: its cells `since` and `until`.

/// A period of releases: the first that has the behaviour, and the first that no longer has it. Either may be empty. `from` is
/// "unmerged" for code of a branch.
struct Period {
  std::string from, to;
};

/// "v0.20.0; v0.24.0" with `until` "v0.23.0" is two periods, of which the second is open. A row without a release has one empty
/// period.
std::vector<Period> periods_of(const ContractRow& row);

/// "from v0.20.0 before v0.23.0, from v0.24.0". Empty if neither `since` nor `until` is known.
std::string releases_of(const ContractRow& row);

/// Whether the newest release still does what the row says: its last period has no end. False for code of a branch.
bool is_current(const ContractRow& row);

/// Whether the words are a release, "v0.33.0" or "0.33", or a date, "2026-06-18".
bool is_release(const std::string& words);

/// Whether that release of the row's package does what the row says. Nothing if the row cannot tell: its `since` is empty, or
/// only one of `since` and `release` is a date.
std::optional<bool> in_release(const ContractRow& row, const std::string& release);

}  // namespace assay
