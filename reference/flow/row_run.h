// A row on its way through the links of its contract: who is told of each step, a trace, and rows behind the first links.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "reference/flow/row.h"
#include "reference/flow/row_norm/row_norm.h"
#include "reference/recipe/eval.h"

namespace assay {

// Who is told what the evaluation of a row does: its quantities, its cells and every step of them, as they are judged. Nobody
// listens while rows are judged; that costs one test a cell and a step, and nothing a number.

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

// A row on its way through the links of its contract. The folder of a flow has the function run() for its links.

struct RowRun {
  const RowInputs& inputs;
  const StoredRow* stored;  ///< null: from the inputs alone
  const Format& x;
  RowListener* listener;    ///< null: nobody listens

  Spans values;     ///< what the links before have made of the row
  RowOutputs out;
  NormRow norm;     ///< of a contract with a norm, for the check of the outputs together
  size_t asked = 0; ///< a norm sees the whole row and makes so many of its numbers, the first ones; 0: all
};

void run(const RowNorm& link, RowRun& row);
void run(const Gated& link, RowRun& row);
void run(const Rope& link, RowRun& row);
void run(const GroupQuant& link, RowRun& row);

// A row on its way behind the first links of its contract: what contracts that differ in later links have in common.

struct RowBehind {
  size_t links = 0;  ///< that it is behind
  Spans values;
  RowOutputs out;
  NormRow norm;
};

/// What so many first links of a contract make of a row. None of them looks at what was stored.
RowBehind row_behind(const Contract& contract, size_t links, const RowInputs& inputs, const Format& x_format);

/// Its first numbers alone: enough for links that look at every number, or at every group of them, by itself.
RowBehind first_numbers(const RowBehind& behind, size_t count);

/// evaluate_row() of the first numbers alone, of a contract that begins with a norm; of the links behind it as above.
RowOutputs evaluate_first(const Contract& contract, const RowInputs& inputs, const Format& x_format, size_t count);

/// evaluate_row() of a contract whose first links are those that the row is behind.
RowOutputs evaluate_behind(const RowBehind& behind, const Contract& contract, const RowInputs& inputs, const StoredRow* stored,
                           const Format& x_format);

// What the evaluation of a row made of one of its numbers, step by step: a listener, so these are the numbers that were judged.

struct TracedStep {
  std::string text;  ///< the step as written
  Span result;
};

/// A cell, or a quantity that no cell made; it has no steps then.
struct TracedCell {
  std::string name;
  bool made = false;  ///< by a cell
  Span from;
  std::vector<TracedStep> steps;
  Span result() const { return steps.empty() ? from : steps.back().result; }
};

class Trace : public RowListener {
 public:
  /// Listens to what is made of this column of the row.
  explicit Trace(size_t column) : column_(column) {}

  const std::vector<TracedCell>& cells() const { return cells_; }
  /// The last cell of that name, or null.
  const TracedCell* find(const std::string& name) const;

  void quantity(const std::string& name, const Spans& numbers, const CellPlaces& places) override;
  void cell(const std::string& name, const Spans& from, const CellPlaces& places) override;
  void step(const Step& step, const RowPart& after) override;

 private:
  size_t column_;
  std::optional<size_t> at_;  ///< the number of the cell that is running
  std::vector<TracedCell> cells_;
};

}  // namespace assay
