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

// Loads contracts/units.csv, the table of tensor cores.

struct UnitRow {
  std::string id;
  std::string file;
  int line = 0;
  std::map<std::string, TableCell> cells;
  Unit unit;  ///< the parsed cells

  const std::string& text(const std::string& column) const { return cells.at(column).text; }
  TableError error(const std::string& column, size_t offset, const std::string& problem) const;
};

/// The columns that define what the instruction computes, in the order of computation. Mutants change cells of these columns.
std::span<const std::string> unit_step_columns();

/// All columns of the table, in file order.
std::span<const std::string> unit_columns();

/// True if a user's table has the columns of units.csv, false if it has those of a contract table. Throws TableError.
bool holds_units(const std::string& file);

/// Parses the cells of a row. If its evidence is `unknown`, the cells that define the arithmetic are empty. Throws TableError.
Unit read_unit(const UnitRow& row);

class UnitTable {
 public:
  /// Throws TableError.
  static UnitTable load(const std::string& file);
  /// Loads units.csv of a folder, and unit_candidates.csv, the possible models of undocumented instructions. Throws TableError.
  static UnitTable load_folder(const std::string& folder);
  /// Adds a user's rows. A row with the id of an undocumented instruction replaces it if the operands are the same. Any other
  /// existing id is an error. Throws TableError.
  void add(const std::string& file);

  /// Throws std::out_of_range that lists similar ids.
  const UnitRow& find(const std::string& id) const;
  const std::vector<UnitRow>& rows() const { return rows_; }

  /// The possible models of an undocumented instruction; empty for a documented one. All of them may be wrong.
  std::vector<const UnitRow*> candidates_of(const UnitRow& unknown) const;
  /// Adds candidate models. A candidate's id is the id of its instruction, ':' and a name. It has the instruction's operands, and
  /// a k that is a multiple of the instruction's k. Throws TableError.
  void add_candidates(const std::string& file);

 private:
  UnitRow read_row(const Table& table, const TableRow& row) const;
  /// The undocumented row that this row may replace, or nullptr.
  UnitRow* unknown_namesake(const UnitRow& row);

  std::vector<UnitRow> rows_, candidates_;
};

// Parses the words of one cell, one after the other.

class CellWords {
 public:
  /// Throws TableError if the cell is not a list of words.
  CellWords(const UnitRow& row, const std::string& column);

  /// Consumes the next word if it is `word` with that many arguments.
  bool next_is(const std::string& word, size_t arguments = 0);
  /// An argument of the last consumed word as a decimal integer from `least` to `most`. Throws TableError.
  int integer(size_t argument, int least, int most) const;
  const CellArgument& argument(size_t argument) const { return words_.at(at_ - 1).arguments.at(argument); }
  /// The integer that makes up a whole cell. Throws TableError.
  int whole(int least, int most);
  /// An argument of the last consumed word as a hexadecimal number of at most `bits` bits. Throws TableError.
  uint32_t hexadecimal(size_t argument, int bits) const;
  /// An error about the last consumed word, for the caller to throw.
  TableError error(const std::string& problem) const;

  /// Throws TableError at the next word or at the end of the cell, listing the allowed forms.
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

// Parses the cells of units.csv that define how products and c are added.

inline constexpr int kWidestExponent = 1 << 10;  ///< larger than every term's exponent

/// The format named in a cell. Throws TableError.
const Format* format_named(const UnitRow& row, const std::string& column, const std::string& name, size_t offset = 0);

/// Each parses one cell into `unit`; the cells before it, and `take`, must be parsed already. All throw TableError.
void read_sum(const UnitRow& row, Unit& unit);
void read_exponent(const UnitRow& row, Unit& unit);
void read_c(const UnitRow& row, Unit& unit);

// Writes an instruction as cells of units.csv: the inverse of unit_table.cpp.

/// The cells of unit_step_columns(). Parsing them gives the same instruction.
std::map<std::string, std::string> step_cells(const Unit& unit);

// Writes an instruction as text: one formula per step.

std::vector<std::string> unit_lines(const Unit& unit);

// Mutants of an instruction: the instruction, or a model of it, with one mistake.

struct UnitNeighbour {
  std::string name;  ///< such as "sum: align(13) -> align(12)"
  UnitRow row;       ///< the row with the mutated cell, parsed
};

/// Every change of one cell, of these kinds, that the loader accepts: a number plus or minus one (`take` and `group`: half and
/// double), a rule replaced by a similar one, a word removed or added. No two are equal. An undocumented instruction has none.
std::vector<UnitNeighbour> unit_neighbours(const UnitRow& row);

}  // namespace assay
