// The table of tensor core instructions: its rows and cells, their text and formula, and mutants of a row.
#pragma once

#include <initializer_list>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "reference/recipe/recipe.h"
#include "reference/table/table.h"
#include "reference/units/unit.h"

namespace assay {

// contracts/units.csv: the tensor cores as they are written.

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

// The words of one cell, taken one after another.

class CellWords {
 public:
  /// Throws TableError if the cell is no list of words.
  CellWords(const UnitRow& row, const std::string& column);

  /// Goes past the next word if it is this one with so many arguments.
  bool next_is(const std::string& word, size_t arguments = 0);
  /// Of the word gone past last: a decimal integer from `least` to `most`. Throws TableError.
  int integer(size_t argument, int least, int most) const;
  const CellArgument& argument(size_t argument) const { return words_.at(at_ - 1).arguments.at(argument); }
  /// The cell's one word as such an integer.
  int whole(int least, int most);
  /// Likewise a number in hexadecimal of at most so many bits.
  uint32_t hexadecimal(size_t argument, int bits) const;
  /// The error to throw about the word gone past last.
  TableError error(const std::string& problem) const;

  /// Throws TableError at the next word, or behind the last, saying what may stand there.
  [[noreturn]] void expected(std::initializer_list<const char*> forms) const;
  bool at_end() const { return at_ == words_.size(); }
  /// Throws TableError if a word is left.
  void end(const char* after) const;

 private:
  int number(const CellArgument& text, int least, int most) const;

  const UnitRow& row_;
  std::string column_;
  std::vector<CellStep> words_;
  size_t at_ = 0;
};

// The cells of a row of units.csv that say how its products and c are added.

inline constexpr int kWidestExponent = 1 << 10;  ///< no term reaches it

/// The format of that name in a cell. Throws TableError.
const Format* format_named(const UnitRow& row, const std::string& column, const std::string& name, size_t offset = 0);

/// Each fills in what its cell says; the cells before it, and take, are read. All throw TableError.
void read_sum(const UnitRow& row, Unit& unit);
void read_exponent(const UnitRow& row, Unit& unit);
void read_c(const UnitRow& row, Unit& unit);

// A unit as the cells of a row: what unit_table.cpp reads, written.

/// The cells of unit_step_columns(). Reading them gives the same steps.
std::map<std::string, std::string> step_cells(const Unit& unit);

// A unit in words: one line a step, as formulas.

std::vector<std::string> unit_lines(const Unit& unit);

// Single-step edits of a unit: what a tensor core, or somebody's model of one, would be with one mistake.

struct UnitNeighbour {
  std::string name;  ///< "sum: align(13) -> align(12)"
  UnitRow row;       ///< with the edited cell, read
};

/// Every edit of one step that the loader takes: a number one more or one less (of `take` half and twice), a rule swapped for its
/// like, a word left out or put in. No two have the same cells; an unknown unit has none.
std::vector<UnitNeighbour> unit_neighbours(const UnitRow& row);

}  // namespace assay
