#include "reference/units/table.h"

#include <algorithm>
#include <array>
#include <stdexcept>

#include "reference/table/near.h"

namespace assay {

std::span<const std::string> unit_columns() {
  static const std::vector<std::string> all = {"id", "a",     "b",     "d",       "k",        "order",  "exponent", "sum",
                                               "c",  "round", "scale", "special", "evidence", "source", "why"};
  return all;
}

bool holds_units(const std::string& file) {
  const Table table = read_table(file);
  const auto has = [&](const std::string& column) { return table.has_column(column); };
  return std::all_of(unit_step_columns().begin(), unit_step_columns().end(), has);
}

std::span<const std::string> unit_step_columns() {
  static const std::array<std::string, 7> all = {"order", "exponent", "sum", "c", "round", "scale", "special"};
  return all;
}

TableError UnitRow::error(const std::string& column, size_t offset, const std::string& problem) const {
  const TableCell& cell = cells.at(column);
  return TableError(file, cell.line, cell.column + int(offset), column, problem);
}

UnitTable UnitTable::load(const std::string& file) {
  UnitTable table;
  table.add(file);
  return table;
}

UnitTable UnitTable::load_folder(const std::string& folder) {
  UnitTable table = load(folder + "/units.csv");
  table.add_candidates(folder + "/unit_candidates.csv");
  return table;
}

UnitRow UnitTable::read_row(const Table& table, const TableRow& row) const {
  UnitRow unit{table.text(row, "id"), table.file, row.line, {}, {}};
  for (const std::string& column : unit_columns()) unit.cells[column] = table.cell(row, column);
  if (unit.id.empty()) throw table.error(row, "id", "is empty: expected the id of an instruction");
  unit.unit = read_unit(unit);
  return unit;
}

void UnitTable::add(const std::string& file) {
  const Table table = read_table(file);
  table.require_columns(unit_columns());
  table.allow_columns(unit_columns());
  for (const TableRow& row : table.rows) {
    UnitRow unit = read_row(table, row);
    if (UnitRow* const unknown = unknown_namesake(unit)) {
      *unknown = std::move(unit);
      continue;
    }
    for (const UnitRow& other : rows_)
      if (other.id == unit.id)
        throw table.error(row, "id", "'" + unit.id + "' stands in " + other.file + ":" + std::to_string(other.line) + " already");
    rows_.push_back(std::move(unit));
  }
}

void UnitTable::add_candidates(const std::string& file) {
  const Table table = read_table(file);
  table.require_columns(unit_columns());
  table.allow_columns(unit_columns());
  for (const TableRow& row : table.rows) {
    UnitRow candidate = read_row(table, row);
    const std::string of = candidate.id.substr(0, candidate.id.find(':'));
    const auto unit = std::find_if(rows_.begin(), rows_.end(), [&](const UnitRow& one) { return one.id == of; });
    if (unit == rows_.end() || of.size() + 1 >= candidate.id.size())
      throw candidate.error(
          "id", 0, "'" + candidate.id + "' is not UNIT:NAME with a unit of " + (rows_.empty() ? file : rows_.front().file));
    for (const char* column : {"a", "b", "d", "scale"})
      if (candidate.text(column) != unit->text(column))
        throw candidate.error(column, 0, of + " has '" + unit->text(column) + "' there");
    if (candidate.unit.k % unit->unit.k != 0) throw candidate.error("k", 0, "is no multiple of that of " + of);
    if (!candidate.unit.known()) throw candidate.error("evidence", 0, "is unknown: a candidate must say how it accumulates");
    for (const UnitRow& other : candidates_)
      if (other.id == candidate.id)
        throw candidate.error("id", 0, "'" + candidate.id + "' stands in line " + std::to_string(other.line) + " already");
    candidates_.push_back(std::move(candidate));
  }
}

std::vector<const UnitRow*> UnitTable::candidates_of(const UnitRow& unknown) const {
  std::vector<const UnitRow*> found;
  if (unknown.unit.known()) return found;
  for (const UnitRow& row : candidates_)
    if (row.id.starts_with(unknown.id + ":")) found.push_back(&row);
  return found;
}

UnitRow* UnitTable::unknown_namesake(const UnitRow& row) {
  for (UnitRow& other : rows_) {
    if (other.id != row.id || other.unit.known() || !row.unit.known()) continue;
    for (const char* column : {"a", "b", "d", "k", "scale"})
      if (other.text(column) != row.text(column))
        throw row.error(column, 0, "'" + row.id + "' stands in " + other.file + ":" + std::to_string(other.line) + " with other operands");
    return &other;
  }
  return nullptr;
}

const UnitRow& UnitTable::find(const std::string& id) const {
  std::vector<std::string> ids;
  for (const UnitRow& row : rows_) {
    if (row.id == id) return row;
    ids.push_back(row.id);
  }
  throw std::out_of_range("unknown unit '" + id + "'" + did_you_mean(id, ids));
}

}  // namespace assay
