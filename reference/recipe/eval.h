// Runs a recipe over one interval or a row of intervals, step by step over the whole row.
#pragma once

#include <string_view>
#include <vector>

#include "reference/recipe/part.h"
#include "reference/recipe/span.h"
#include "reference/recipe/step.h"

namespace assay {

/// Quantities that the op kind provides for a cell. Rows are borrowed and must outlive the call.
class Environment {
 public:
  void set(std::string_view name, Span value);
  void set(std::string_view name, const Spans& row);

  struct Value {
    std::string_view name;
    Span scalar;
    const Spans* row;  ///< nullptr: use the scalar
  };
  /// Throws std::out_of_range if op kind and parser disagree.
  const Value& get(std::string_view name) const;

 private:
  std::vector<Value> values_;
};

/// Receives the results of each step after it has run over the whole row.
class StepListener {
 public:
  virtual ~StepListener() = default;
  virtual void step(const Step& step, const RowPart& after) = 0;
};

/// Applies every step to every element. If the recipe starts with a named quantity, the caller passes its row.
void evaluate(const Recipe& recipe, Spans& row, const Environment& environment, StepListener* listener = nullptr);
/// The same for the elements first .. first + count of the row and of all rows in the environment.
void evaluate(const Recipe& recipe, Spans& row, size_t first, size_t count, const Environment& environment,
              StepListener* listener = nullptr);
Span evaluate(const Recipe& recipe, Span value, const Environment& environment);

}  // namespace assay
