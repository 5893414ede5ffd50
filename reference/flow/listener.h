// Who is told what the evaluation of a row does: its quantities, its cells and every step of them, as they are judged. Nobody
// listens while rows are judged; that costs one test a cell and a step, and nothing a number.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "reference/recipe/eval.h"

namespace assay {

/// Which number of a cell belongs to a column of the row; nothing if none does.
using CellPlaces = std::function<std::optional<size_t>(size_t column)>;

inline CellPlaces whole_row() {
  return [](size_t) { return std::optional<size_t>(0); };
}
inline CellPlaces each_column() {
  return [](size_t column) { return std::optional(column); };
}
inline CellPlaces each_group(int64_t size) {
  return [size](size_t column) { return std::optional(column / size_t(size)); };
}

class RowListener : public StepListener {
 public:
  /// Numbers that a cell takes and no cell made.
  virtual void quantity(const std::string& name, const Spans& numbers, const CellPlaces& places) = 0;
  /// A cell, before its first step; step() tells the rest.
  virtual void cell(const std::string& name, const Spans& from, const CellPlaces& places) = 0;
};

/// Runs a cell over a row of numbers. `places`: a function that makes them, called if somebody listens.
template <class MakePlaces>
void run_cell(RowListener* listener, const char* name, const Recipe& recipe, Spans& row, const Environment& environment,
              MakePlaces places) {
  if (listener) listener->cell(name, row, places());
  evaluate(recipe, row, environment, listener);
}

}  // namespace assay
