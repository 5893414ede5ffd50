// The evaluation of one row, stage by stage: its state, listeners that receive each step, the trace of one element, and rows
// whose first stages several contracts share.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "reference/flow/row.h"
#include "reference/flow/row_norm/row_norm.h"
#include "reference/recipe/eval.h"

namespace assay {

// A listener receives quantities, cells and steps of the evaluation of a row, with the values that are checked. Without one, as
// in normal runs, the cost is a test per cell and per step, and none per element.

/// The index of a column's value in a cell, which has one value per row, group or column. Empty: the column has no value there.
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
  /// Called for a quantity that no cell computed: an input that cells read, or the choice between a scale and its rival.
  virtual void quantity(const std::string& name, const Spans& numbers, const CellPlaces& places) = 0;
  /// Called before the first step of a cell. After it, step() is called for each step.
  virtual void cell(const std::string& name, const Spans& from, const CellPlaces& places) = 0;
};

/// Evaluates a cell for a row. Calls `places`, which returns the CellPlaces, only if there is a listener.
template <class MakePlaces>
void run_cell(RowListener* listener, const char* name, const Recipe& recipe, Spans& row, const Environment& environment,
              MakePlaces places) {
  if (listener) listener->cell(name, row, places());
  evaluate(recipe, row, environment, listener);
}

// The state of a row between two stages. The folder of each op kind defines run() for its stages.

struct RowRun {
  const RowInputs& inputs;
  const StoredRow* stored;  ///< nullptr: evaluate from the inputs only
  const Format& x;
  RowListener* listener;    ///< may be null

  Spans values;     ///< result of the stages so far
  RowOutputs out;
  NormRow norm;     ///< for a contract with a norm: data for the joint check of the outputs
  size_t asked = 0; ///< a norm reads the whole row, but computes only its first `asked` outputs; 0: all
};

void run(const RowNorm& link, RowRun& row);
void run(const Gated& link, RowRun& row);
void run(const Rope& link, RowRun& row);
void run(const GroupQuant& link, RowRun& row);

// A row after the first stages of its contract. Contracts that differ only in later stages share this state.

struct RowBehind {
  size_t links = 0;  ///< number of stages already evaluated
  Spans values;
  RowOutputs out;
  NormRow norm;
};

/// Evaluates the first `links` stages of a contract. Their results must not depend on stored outputs.
RowBehind row_behind(const Contract& contract, size_t links, const RowInputs& inputs, const Format& x_format);

/// `behind` with only its first `count` elements. Later stages must treat each element, or each group, separately.
RowBehind first_numbers(const RowBehind& behind, size_t count);

/// evaluate_row() for the first `count` elements only, for a contract that starts with a norm. Later stages must treat each
/// element, or each group, separately.
RowOutputs evaluate_first(const Contract& contract, const RowInputs& inputs, const Format& x_format, size_t count);

/// evaluate_row() for a contract whose first stages `behind` contains already.
RowOutputs evaluate_behind(const RowBehind& behind, const Contract& contract, const RowInputs& inputs, const StoredRow* stored,
                           const Format& x_format);

// A trace records how the evaluation of a row computes one of its elements, step by step. As a listener, the trace receives
// exactly the values that are checked.

struct TracedStep {
  std::string text;  ///< the step as written in the table
  Span result;
};

/// A cell with its steps, or an input quantity, which has none.
struct TracedCell {
  std::string name;
  bool made = false;  ///< true: computed by a cell
  Span from;
  std::vector<TracedStep> steps;
  Span result() const { return steps.empty() ? from : steps.back().result; }
};

class Trace : public RowListener {
 public:
  /// Records the element in this column.
  explicit Trace(size_t column) : column_(column) {}

  const std::vector<TracedCell>& cells() const { return cells_; }
  /// The last recorded cell with that name; nullptr if there is none.
  const TracedCell* find(const std::string& name) const;

  void quantity(const std::string& name, const Spans& numbers, const CellPlaces& places) override;
  void cell(const std::string& name, const Spans& from, const CellPlaces& places) override;
  void step(const Step& step, const RowPart& after) override;

 private:
  size_t column_;
  std::optional<size_t> at_;  ///< index of the element in the running cell
  std::vector<TracedCell> cells_;
};

}  // namespace assay
