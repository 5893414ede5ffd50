// Observer of the evaluation of a row: receives its quantities, its cells and every step, as they are judged. Without a listener,
// as in normal runs, the cost is one test per cell and per step, and none per number.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "reference/recipe/eval.h"

namespace assay {

/// Maps a column of the row to the index of its number in a cell; empty if the cell has none for it.
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
  /// Numbers that a cell reads and that no cell computed.
  virtual void quantity(const std::string& name, const Spans& numbers, const CellPlaces& places) = 0;
  /// Called before the first step of a cell; step() reports the steps.
  virtual void cell(const std::string& name, const Spans& from, const CellPlaces& places) = 0;
};

/// Runs a cell over a row of numbers. `places` returns the CellPlaces; it is called only if there is a listener.
template <class MakePlaces>
void run_cell(RowListener* listener, const char* name, const Recipe& recipe, Spans& row, const Environment& environment,
              MakePlaces places) {
  if (listener) listener->cell(name, row, places());
  evaluate(recipe, row, environment, listener);
}

}  // namespace assay
