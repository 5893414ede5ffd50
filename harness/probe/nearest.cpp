#include "harness/probe/nearest.h"

#include <algorithm>

#include "reference/units/unit_separate.h"
#include "reference/units/unit_table.h"

namespace assay {
namespace {

bool same_operands(const Unit& unit, const UnitRow& row) {
  const Unit& other = row.unit;
  const bool scales = (unit.scale == nullptr) == (other.scale == nullptr) &&
                      (!unit.scale || (*unit.scale == *other.scale && unit.scale_block == other.scale_block));
  return other.known() && *unit.a == *other.a && *unit.b == *other.b && *unit.d == *other.d && unit.k == other.k && scales;
}

int same_texts(const std::map<std::string, std::string>& cells, const UnitRow& row) {
  return int(std::count_if(cells.begin(), cells.end(), [&](const auto& cell) { return row.text(cell.first) == cell.second; }));
}

/// Whether replacing a cell of the model by the other row's cell makes no difference; false if the result is not a valid model.
bool makes_no_difference(const UnitRow& unit, const std::string& column, const std::string& text) {
  UnitRow other = unit;
  other.cells[column].text = text;
  try {
    other.unit = read_unit(other);
  } catch (const TableError&) {
    return false;
  }
  return !first_witness(unit.unit, other.unit);
}

}  // namespace

int LikeRow::alike() const {
  return int(std::count_if(cells.begin(), cells.end(), [](const auto& cell) { return cell.second != CellMatch::kDiffers; }));
}

LikeRow compare_with(const Unit& unit, const UnitRow& row) {
  if (!same_operands(unit, row)) throw std::invalid_argument("unit " + row.id + " has other operands, or no steps");
  const UnitRow own = row_of(unit, "probed", "inferred", "", "");
  LikeRow like{&row, {}, true, {}};
  for (const auto& [column, text] : step_cells(unit)) {
    CellMatch& match = like.cells[column];
    match = CellMatch::kSame;
    if (row.text(column) == text) continue;
    like.equal = false;
    match = makes_no_difference(own, column, row.text(column)) ? CellMatch::kEqual : CellMatch::kDiffers;
  }
  if (!like.equal) like.equal = !first_witness(unit, row.unit);
  return like;
}

LikeRow nearest_row(const Unit& unit, const UnitTable& table) {
  const std::map<std::string, std::string> cells = step_cells(unit);
  LikeRow best;
  int most = -1;
  for (const UnitRow& row : table.rows()) {
    if (!same_operands(unit, row)) continue;
    const auto known = [&](const std::string& column) {
      return best.row != nullptr && row.text(column) == best.row->text(column);
    };
    if (std::all_of(unit_step_columns().begin(), unit_step_columns().end(), known)) {
      best.same_cells.push_back(row.id);
      continue;
    }
    const int same = same_texts(cells, row);
    if (same < most || (same == most && best.equal)) continue;
    LikeRow like = compare_with(unit, row);
    if (same > most || like.alike() > best.alike() || (like.equal && !best.equal)) best = std::move(like), most = same;
  }
  return best;
}

UnitRow row_of(const Unit& unit, const std::string& id, const std::string& evidence, const std::string& source,
               const std::string& why) {
  UnitRow row{id, "probe", 0, {}, {}};
  for (const auto& [column, text] : step_cells(unit)) row.cells[column] = {text, 0, 0};
  for (const auto& [column, text] : {std::pair<const char*, std::string>{"id", id},
                                     {"a", std::string(unit.a->name)},
                                     {"b", std::string(unit.b->name)},
                                     {"d", std::string(unit.d->name)},
                                     {"k", std::to_string(unit.k)},
                                     {"evidence", evidence},
                                     {"source", source},
                                     {"why", why}})
    row.cells[column] = {text, 0, 0};
  row.unit = read_unit(row);
  return row;
}

}  // namespace assay
