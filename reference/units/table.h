// Loads contracts/units.csv, the table of tensor cores.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "reference/table/table.h"
#include "reference/units/unit.h"

namespace assay {

struct UnitRow {
  std::string id;
  std::string file;
  int line = 0;
  std::map<std::string, TableCell> cells;
  Unit unit;  ///< the parsed cells

  const std::string& text(const std::string& column) const { return cells.at(column).text; }
  TableError error(const std::string& column, size_t offset, const std::string& problem) const;
};

/// The columns that define what the unit computes, in the order of computation. Edits change these cells.
std::span<const std::string> unit_step_columns();

/// All columns of the table, in file order.
std::span<const std::string> unit_columns();

/// Whether a user's table has the columns of units rather than of contracts. Throws TableError.
bool holds_units(const std::string& file);

/// Parses the cells of a row. A row whose evidence is `unknown` has no steps. Throws TableError with the cell.
Unit read_unit(const UnitRow& row);

class UnitTable {
 public:
  /// Throws TableError.
  static UnitTable load(const std::string& file);
  /// Loads units.csv of a folder, and unit_candidates.csv for units whose arithmetic is unknown. Throws TableError.
  static UnitTable load_folder(const std::string& folder);
  /// Adds rows of a user. A row with the id of an unknown unit replaces it if the operands are the same. Throws TableError, also
  /// if the id exists otherwise.
  void add(const std::string& file);

  /// Throws std::out_of_range with near matches.
  const UnitRow& find(const std::string& id) const;
  const std::vector<UnitRow>& rows() const { return rows_; }

  /// Candidate definitions of an unknown unit; empty for a known one. None of them is claimed to be right.
  std::vector<const UnitRow*> candidates_of(const UnitRow& unknown) const;
  /// Adds candidates. A candidate's id is the id of its unit, ':' and a name; it has the unit's operands, and a k that is a
  /// multiple of the unit's k. Throws TableError.
  void add_candidates(const std::string& file);

 private:
  UnitRow read_row(const Table& table, const TableRow& row) const;
  /// The unknown row that this row may replace, or nullptr.
  UnitRow* unknown_namesake(const UnitRow& row);

  std::vector<UnitRow> rows_, candidates_;
};

}  // namespace assay
