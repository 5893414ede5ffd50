// Running a recipe over one span or a row of them: a fold, step after step over the whole row.
#pragma once

#include <string_view>
#include <vector>

#include "reference/recipe/part.h"
#include "reference/recipe/span.h"
#include "reference/recipe/step.h"

namespace assay {

/// Quantities that the flow names for a cell. Rows are borrowed and must outlive the call.
class Environment {
 public:
  void set(std::string_view name, Span value);
  void set(std::string_view name, const Spans& row);

  struct Value {
    std::string_view name;
    Span scalar;
    const Spans* row;  ///< nullptr: the scalar
  };
  /// Throws std::out_of_range: a broken promise between flow and parser.
  const Value& get(std::string_view name) const;

 private:
  std::vector<Value> values_;
};

/// Is told what each step made of the numbers, after it has run over all of them.
class StepListener {
 public:
  virtual ~StepListener() = default;
  virtual void step(const Step& step, const RowPart& after) = 0;
};

/// Applies every step to every element. If the recipe starts with a named quantity the caller passes that.
void evaluate(const Recipe& recipe, Spans& row, const Environment& environment, StepListener* listener = nullptr);
/// The same for the numbers first .. first + count of the row and of all rows in the environment.
void evaluate(const Recipe& recipe, Spans& row, size_t first, size_t count, const Environment& environment,
              StepListener* listener = nullptr);
Span evaluate(const Recipe& recipe, Span value, const Environment& environment);

}  // namespace assay
