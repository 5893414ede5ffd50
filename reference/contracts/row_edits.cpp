#include "reference/contracts/row_edits.h"

#include <algorithm>

#include "reference/contracts/row_cells.h"
#include "reference/flow/flow.h"
#include "reference/formats/catalogue.h"

namespace assay {

bool rounds_to(const CellStep& step, std::initializer_list<const char*> formats) {
  return step.word == "to" &&
         std::any_of(formats.begin(), formats.end(), [&](const char* format) { return step.argument(0) == format; });
}

EditedRow::EditedRow(const ContractRow& row) : row_(row) {
  for (const std::string& column : row.flow->steps) {
    const std::vector<CellStep> steps = RowCells(row).steps(column);
    EditedCell& cell = cells_[column];
    for (size_t i = 0; i < steps.size(); ++i) {
      const std::string& text = steps[i].text;
      const auto alike = [&](size_t end) {
        return std::count_if(steps.begin(), steps.begin() + long(end), [&](const CellStep& other) { return other.text == text; });
      };
      const bool alone = alike(steps.size()) == 1, rounded = i + 1 < steps.size() && rounds_to(steps[i + 1], {"x", "bf16"});
      cell.push_back({steps[i], alone ? text : text + "#" + std::to_string(alike(i) + 1), false, rounded, i});
    }
  }
}

Link EditedRow::bind(const Format& x) const {
  RowCells cells(row_);
  for (const auto& [column, edited] : cells_) {
    std::vector<CellStep> steps;
    for (const EditedStep& one : edited) steps.push_back(one.step);
    cells.set_steps(column, std::move(steps));
  }
  Link link = bind_link(cells, x);
  for (const auto& change : flow_edits_) change(link);
  return link;
}

std::vector<EditedRow::Edit> EditedRow::edits(const ContractTables& tables, const Format& x, bool behind_activation,
                                              bool before_others) const {
  RowEdits edits(tables, *this, x, behind_activation, before_others);
  row_.flow->edits(edits);
  return std::move(edits).finish();
}

EditedRow& RowEdits::add_whole(const std::string& name) {
  edits_.push_back({name, base_});
  return edits_.back().row;
}

void RowEdits::flow_edit(const std::string& part, const std::string& name, std::function<void(Link&)> change, EditKind kind) {
  if (is_edited(part)) return;
  EditedRow& row = add_whole(name);
  row.edited_parts_.insert(part);
  row.flow_edits_.push_back(std::move(change));
  edits_.back().kind = kind;
}

void RowEdits::add(const std::string& column, const std::string& what, EditedCell cell) {
  const auto roundings = [](const EditedCell& of) {
    const auto is = [](const EditedStep& one, bool edited) { return one.step.text == "to(x)" && one.edited == edited; };
    return std::pair(std::count_if(of.begin(), of.end(), [&](const EditedStep& one) { return is(one, false); }),
                     std::count_if(of.begin(), of.end(), [&](const EditedStep& one) { return is(one, true); }));
  };
  const bool of_result = column == "y" && roundings(cell) != roundings(steps(column));
  add_whole(column + ": " + what).cells_[column] = std::move(cell);
  if (of_result) edits_.back().kind = EditKind::kRoundingOfResult;
}

void RowEdits::suspect_behind(const std::string& column, const std::string& what, const CellStep& last) {
  EditedCell cell = steps(column);
  cell.push_back(edited(last, last.text));
  add(column, what, std::move(cell));
  edits_.back().suspect = true;
}

void RowEdits::replace(const std::string& column, EditedCell cell, size_t i, const CellStep& other) {
  const std::string label = cell[i].label;
  cell[i] = edited(other, label);
  add(column, label + " -> " + other.text, std::move(cell));
}

void RowEdits::drop(const std::string& column, EditedCell cell, size_t i) {
  const std::string label = cell[i].label;
  const bool of_power = column == "scale" && cell[i].step.word == "pow2";
  if ((column == "z" || column == "mean") && cell.size() == 1)
    cell[i] = edited(CellStep::made("mul", {"1"}), label);  // a row with an addition has a z, and one that subtracts a mean has a
                                                            // mean
  else
    cell.erase(cell.begin() + long(i));
  add(column, "drop " + label, std::move(cell));
  if (of_power) edits_.back().kind = EditKind::kNoPowerOfTwo;
}

void RowEdits::in_all_cells(const std::string& name, const std::string& text, const CellStep& other) {
  EditedRow::Edit edit{name, base_};
  bool found = false;
  for (auto& [column, cell] : edit.row.cells_)
    for (EditedStep& one : cell)
      if (one.step.text == text && !one.edited) one = edited(other, one.label), found = true;
  if (found) edits_.push_back(std::move(edit));
}

bool RowEdits::reads_constant(const std::string& name) const {
  for (const auto& [column, cell] : base_.cells_)
    for (const EditedStep& one : cell)
      for (const CellArgument& argument : one.step.arguments)
        if (argument.text.find(name) != std::string::npos) return true;
  return false;
}

bool RowEdits::has_integer_codes(const ContractRow& row) { return find_format(row.text("q"))->specials == Specials::kInteger; }

/// Rows whose constants may be confused with this row's: codes of the same kind.
bool RowEdits::is_sibling(const ContractRow& row) const {
  return row.flow == row_.flow && (!row.cells.contains("q") || has_integer_codes(row) == has_integer_codes(row_));
}

void RowEdits::constants(const std::string& column, EditKind kind) {
  if (is_edited(column) || row_.text(column).empty()) return;
  std::vector<std::string> values;
  for (const ContractRow& sibling : tables_.rows())
    if (is_sibling(sibling)) values.push_back(sibling.text(column));
  if (column != "q" && row_.cells.contains("q") && has_integer_codes(row_))
    for (const int by : {-1, 1}) values.push_back(std::to_string(std::stoi(row_.text(column)) + by));
  std::set<std::string> seen = {"", row_.text(column)};
  for (const std::string& value : values) {
    if (!seen.insert(value).second) continue;
    EditedRow& row = add_whole(column + ": " + row_.text(column) + " -> " + value);
    set_text(row, column, value);
    mark_edited(row, column);
    edits_.back().kind = kind;
  }
}

}  // namespace assay
