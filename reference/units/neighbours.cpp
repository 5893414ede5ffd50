#include "reference/units/neighbours.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "reference/recipe/cell.h"

namespace assay {
namespace {

using CellSteps = std::vector<CellStep>;

class UnitEdits {
 public:
  explicit UnitEdits(const UnitRow& row) : row_(row) {}

  /// Adds the edit that replaces `count` words from `first` on. Skips cells that the loader rejects.
  void replace(const std::string& column, const CellSteps& cell, size_t first, size_t count, const CellSteps& by) {
    CellSteps words(cell.begin(), cell.begin() + std::ptrdiff_t(first));
    words.insert(words.end(), by.begin(), by.end());
    words.insert(words.end(), cell.begin() + std::ptrdiff_t(first + count), cell.end());
    const CellSteps old(cell.begin() + std::ptrdiff_t(first), cell.begin() + std::ptrdiff_t(first + count));
    const std::string was = old.empty() ? "nothing" : text_of(old), is = by.empty() ? "missing" : text_of(by);
    UnitNeighbour edited{column + ": " + was + " -> " + is, row_};
    edited.row.cells[column].text = text_of(words);
    const auto same = [&](const UnitNeighbour& other) { return other.row.text(column) == edited.row.text(column); };
    if (edited.row.text(column) == row_.text(column) || std::any_of(all.begin(), all.end(), same)) return;
    try {
      edited.row.unit = read_unit(edited.row);
      all.push_back(std::move(edited));
    } catch (const TableError&) {
    }
  }

  std::vector<UnitNeighbour> all;

 private:
  const UnitRow& row_;
};

/// Edits each number of a word: minus one and plus one; for numbers that must divide others, half and double.
void edit_numbers(UnitEdits& edits, const std::string& column, const CellSteps& cell, size_t at) {
  const CellStep& word = cell[at];
  if (word.word == "nan" || word.word == "interleave" || word.word == "split") return;
  for (size_t i = 0; i < word.arguments.size(); ++i) {
    const int n = std::atoi(word.argument(i).c_str());
    const bool divides = word.word == "take" || word.word == "group";
    for (const int other : {divides ? n / 2 : n - 1, divides ? 2 * n : n + 1}) {
      std::vector<std::string> arguments = word.argument_texts();
      arguments[i] = std::to_string(other);
      edits.replace(column, cell, at, 1, {CellStep::made(word.word, arguments)});
    }
  }
}

/// The words that may replace `word`.
CellSteps others_of(const CellStep& word, const Unit& unit) {
  static const std::pair<const char*, const char*> like[] = {{"truncate", "floor"}, {"ea+eb", "normalized"}};
  CellSteps others;
  for (const auto& [one, other] : like) {
    if (word.word == one) others.push_back(CellStep::made(other));
    if (word.word == other) others.push_back(CellStep::made(one));
  }
  if (word.word == "rz" || word.word == "rne") {
    others.push_back(CellStep::made(word.word == "rz" ? "rne" : "rz", word.argument_texts()));
    others.push_back(CellStep::made(word.word, {std::to_string(unit.d->mantissa_bits)}));
  }
  if (word.word == "nan") {
    char quiet[16];  // IEEE 754 quiet NaN with an empty payload
    std::snprintf(quiet, sizeof quiet, "%x", code_of(*unit.d, __builtin_nan("")));
    others.push_back(CellStep::made("nan", {quiet}));
  }
  return others;
}

/// Number of words that belong together: "ea+eb in(f16)" has two, "ea+eb" one.
size_t exponent_words(const CellSteps& cell, size_t at) { return at + 1 < cell.size() && cell[at + 1].word == "in" ? 2 : 1; }

bool may_be_missing(const CellStep& word) {
  for (const char* name : {"interleave", "in", "zeros", "least", "last", "drop", "flush", "inf"})
    if (word.word == name) return true;
  return false;
}

/// Words that can be added to a cell, after all others or, where the order requires it, after the first. For example, a compiler
/// that unpacks fp8 to f16 on chips without native fp8 instructions.
void edit_additions(UnitEdits& edits, const std::string& column, const CellSteps& cell) {
  if (cell.empty()) return;
  if (column == "exponent") edits.replace(column, cell, exponent_words(cell, 0), 0, {CellStep::made("zeros")});
  if (column == "exponent" && exponent_words(cell, 0) == 1) edits.replace(column, cell, 1, 0, {CellStep::made("in", {"f16"})});
  if (column == "c") edits.replace(column, cell, cell.size(), 0, {CellStep::made("last")});
  if (column == "special") edits.replace(column, cell, 1, 0, {CellStep::made("flush")});
}

/// Edits that remove the split but keep its numbers: "split(2) align(24) truncate join(24) floor".
void edit_split(UnitEdits& edits, const std::string& column, const CellSteps& cell) {
  if (column != "sum" || cell.size() != 5) return;
  edits.replace(column, cell, 0, 5, {cell[1], cell[2]});
}

}  // namespace

std::vector<UnitNeighbour> unit_neighbours(const UnitRow& row) {
  UnitEdits edits(row);
  if (!row.unit.known()) return {};
  for (const std::string& column : unit_step_columns()) {
    if (column == "scale") continue;  // a format and a memory layout, not a step
    const CellSteps cell = read_cell(row.text(column));
    for (size_t at = 0; at < cell.size(); ++at) {
      edit_numbers(edits, column, cell, at);
      for (const CellStep& other : others_of(cell[at], row.unit))
        edits.replace(column, cell, at, exponent_words(cell, at), {other});
      if (may_be_missing(cell[at])) edits.replace(column, cell, at, 1, {});
    }
    edit_additions(edits, column, cell);
    edit_split(edits, column, cell);
  }
  return std::move(edits.all);
}

}  // namespace assay
