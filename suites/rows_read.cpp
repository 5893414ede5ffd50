#include "suites/rows_read.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string_view>

#include "harness/text/digest.h"
#include "harness/text/glob.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

using TableCells = std::map<std::string, TableCell>;

/// Adds each part of a cell that may be the id of a row.
void add_names(std::string_view cell, std::set<std::string>& names) {
  for (size_t at = 0; at < cell.size();) {
    const size_t from = cell.find_first_not_of(" |=>(),", at);
    if (from == std::string_view::npos) return;
    at = std::min(cell.find_first_of(" |=>(),", from), cell.size());
    names.insert(std::string(cell.substr(from, at - from)));
  }
}

bool informs_only(const std::string& column) {
  static const std::set<std::string> columns = {"source", "why", "since", "until", "evidence"};
  return columns.contains(column);
}

/// An optional column that is younger than the first records: where it is empty, it is left out, so that their seals still match.
bool is_as_before(const std::string& column, const TableCell& cell) { return column == "experts" && cell.text.empty(); }

/// Collects the rows that a case depends on: text of each row, by id.
class RowsRead {
 public:
  explicit RowsRead(const Rulebook& book) : book_(book) {}

  void add(const std::string& cell) {
    std::set<std::string> names;
    add_names(cell, names);
    for (const std::string& name : names) {
      if (text_.contains(name)) continue;
      if (const ContractRow* row = book_.contracts.lookup(name))
        add_row(name, row->cells);
      else if (book_.is_unit(name))
        add_unit(book_.units.find(name));
    }
  }

  std::string text() const {
    std::string all = addresses();
    for (const auto& [id, text] : text_) all += text;
    for (const Equivalence& one : book_.equivalences)
      for (const auto& [id, text] : text_)
        if (any_glob_matches(one.contract, id)) {
          all += one.contract + "\t" + one.x + "\t" + one.fault + "\n";
          break;
        }
    return all;
  }

 private:
  void add_row(const std::string& id, const TableCells& cells) {
    std::string& text = text_[id] = id;
    for (const auto& [column, cell] : cells)
      if (!informs_only(column) && !is_as_before(column, cell)) text += "\t" + column + "=" + cell.text;
    text += "\n";
    for (const auto& [column, cell] : cells)
      if (!informs_only(column) && column != "id") add(cell.text);
  }

  /// Mutants replace an instruction by one with the same operands and another result; their ids differ after the last dot.
  void add_unit(const UnitRow& unit) {
    const std::string stem = unit.id.substr(0, unit.id.rfind('.') + 1);
    for (const UnitRow& row : book_.units.rows())
      if (row.id.starts_with(stem)) add_row(row.id, row.cells);
    for (const UnitRow* row : book_.units.candidates_of(unit)) add_row(row->id, row->cells);
  }

  /// Mutants also use every other layout and record.
  std::string addresses() const {
    std::string all;
    for (const Layout& one : book_.layouts) {
      all += fmt::format("{}\t{}\t{}\t{}\t{}", one.id, one.type->name, one.element->name, one.tile_rows, one.tile_columns);
      for (const Expression* part : {&one.rows, &one.cols, &one.storage, &one.shape[0], &one.shape[1], &one.strides[0],
                                     &one.strides[1], &one.offset})
        all += "\t" + part->text();
      all += "\n";
    }
    for (const Record& one : book_.records)
      for (const RecordPart& part : one.parts)
        all += fmt::format("{}\t{}\t{}\t{}\t{}\t{}\t{}\n", one.id, part.name, int(part.kind), part.from, part.elements,
                           part.format, part.offset.text());
    return all;
  }

  const Rulebook& book_;
  std::map<std::string, std::string> text_;
};

}  // namespace

std::string rows_read_by(const Case& one) {
  RowsRead rows(rulebook());
  for (const auto& [column, cell] : one.parameters) rows.add(cell);
  return digest_text(rows.text());
}

}  // namespace assay
