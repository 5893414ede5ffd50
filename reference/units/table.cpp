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

void UnitTable::add(const std::string& file) {
  const Table table = read_table(file);
  table.require_columns(unit_columns());
  table.allow_columns(unit_columns());
  for (const TableRow& row : table.rows) {
    UnitRow unit{table.text(row, "id"), table.file, row.line, {}, {}};
    for (const std::string& column : unit_columns()) unit.cells[column] = table.cell(row, column);
    if (unit.id.empty()) throw table.error(row, "id", "a unit needs an id");
    unit.unit = read_unit(unit);
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
