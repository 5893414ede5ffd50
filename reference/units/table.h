// contracts/units.csv: the tensor cores as they are written.
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
  Unit unit;  ///< the cells, read

  const std::string& text(const std::string& column) const { return cells.at(column).text; }
  TableError error(const std::string& column, size_t offset, const std::string& problem) const;
};

/// The columns whose cells say what the unit computes, in the order in which it does; edits change them.
std::span<const std::string> unit_step_columns();

/// All columns of the table, in their order.
std::span<const std::string> unit_columns();

/// Whether the columns of a user's table are those of units, and not of contracts. Throws TableError.
bool holds_units(const std::string& file);

/// Reads the cells of a row. A row whose evidence is `unknown` has no steps. Throws TableError at the cell.
Unit read_unit(const UnitRow& row);

class UnitTable {
 public:
  /// Throws TableError.
  static UnitTable load(const std::string& file);
  /// The tables of a folder: units.csv, and unit_candidates.csv for those of which nothing is known. Throws TableError.
  static UnitTable load_folder(const std::string& folder);
  /// Adds a user's rows. One with the id of a row that knows no steps takes its place, if its operands are the same. Throws
  /// TableError, also for any other id that exists.
  void add(const std::string& file);

  /// Throws std::out_of_range with near matches.
  const UnitRow& find(const std::string& id) const;
  const std::vector<UnitRow>& rows() const { return rows_; }

  /// Ways in which a unit may add of which nothing is known; none of another unit. No row claims any of them.
  std::vector<const UnitRow*> candidates_of(const UnitRow& unknown) const;
  /// Adds such ways. A candidate has the id of its unit, a ':' and a name of its own, the unit's operands, and a k that the
  /// unit's k is part of. Throws TableError.
  void add_candidates(const std::string& file);

 private:
  UnitRow read_row(const Table& table, const TableRow& row) const;
  /// The row that this one may take the place of, or nullptr.
  UnitRow* unknown_namesake(const UnitRow& row);

  std::vector<UnitRow> rows_, candidates_;
};

}  // namespace assay
