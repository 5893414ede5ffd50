#include "reference/units/table.h"

#include <array>
#include <stdexcept>

#include "reference/table/near.h"

namespace assay {
namespace {

const std::vector<std::string>& columns() {
  static const std::vector<std::string> all = {"id", "a",     "b",     "d",       "k",        "order",  "exponent", "sum",
                                               "c",  "round", "scale", "special", "evidence", "source", "why"};
  return all;
}

}  // namespace

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
  table.require_columns(columns());
  table.allow_columns(columns());
  for (const TableRow& row : table.rows) {
    UnitRow unit{table.text(row, "id"), table.file, row.line, {}, {}};
    for (const std::string& column : columns()) unit.cells[column] = table.cell(row, column);
    if (unit.id.empty()) throw table.error(row, "id", "a unit needs an id");
    for (const UnitRow& other : rows_)
      if (other.id == unit.id)
        throw table.error(row, "id", "'" + unit.id + "' stands in " + other.file + ":" + std::to_string(other.line) + " already");
    unit.unit = read_unit(unit);
    rows_.push_back(std::move(unit));
  }
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
