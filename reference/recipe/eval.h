// Evaluation of recipes on numbers and intervals.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reference/recipe/lanes.h"
#include "reference/recipe/recipe.h"

namespace assay {

// The values that a recipe processes.

/// A part of a row while a recipe runs over it. Its values are all exact (no `high`), or intervals from the first step on.
struct RowPart {
  double *low, *high;
  size_t first, size;  ///< position of the element in the row
  bool pinned() const { return high == nullptr; }
  Span operator[](size_t i) const { return {low[i], pinned() ? low[i] : high[i]}; }
  void set(size_t i, Span span) const {
    low[i] = span.low;
    if (!pinned()) high[i] = span.high;
  }
};

inline Spans copy_of(const RowPart& part) {
  Spans copy(std::vector<double>(part.low, part.low + part.size));
  if (!part.pinned()) copy.high.assign(part.high, part.high + part.size);
  return copy;
}

// Runs a recipe over one interval or a row of them, step after step over the whole row.

/// Named quantities that the op kind provides to a cell. Rows are borrowed and must outlive the call.
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

// Evaluates a step without a second row, on one number or on an interval.

/// The value of the low bits of an int32.
double low_bits(const Format& integer, double int32);

/// A function of one real, then one rounding to the working format. Throws std::logic_error for a verb with an operand.
double apply(const Step& step, double v);

/// The same for an interval.
Span apply(const Step& step, Span v);

/// max or min, with the step's rule for NaN.
double pick(const Step& step, double v, double a);

/// The smallest interval that contains both.
Span hull(Span a, Span b);

// Adds the allowed error of a step to its correctly rounded result.

/// Every legal result is within slack_ulps steps of the working format around the correctly rounded one. A zero stays zero: it
/// comes from a zero operand, or is so far below every output grid that one f32 subnormal makes no difference. The sign is always
/// determined.
void widen(const Step& step, const RowPart& part);

/// Error bounds that depend on a step's argument, element by element.
void widen_by_arguments(const Step& step, const Spans& arguments, const RowPart& part);

// Sums that a compiler may turn into fused multiply-adds.

/// The hull of two results; NaN if both are NaN.
Span either(Span a, Span b);

/// a b + c on f32 intervals with one rounding. It is affine in each argument, so the ends are corners.
Span fused(Span a, Span b, Span c);

// Evaluates steps that add, multiply or divide, over a part of a row and with named quantities.

/// A quantity restricted to a part, or an operand, which may be a constant.
Lane lane(const std::string& name, const RowPart& part, const Environment& environment);
Lane lane(const Operand& operand, const RowPart& part, const Environment& environment);

/// add, sub, mul, div and rdiv, each rounded once to the working format.
void arithmetic(const Step& step, const RowPart& part, const Environment& environment);

/// v * a + b, rounded once.
void multiply_add(const Step& step, const RowPart& part, const Environment& environment);

/// Operands of a mul that precedes a sum.
struct ProductBeforeSum {
  Spans number;
  std::vector<double> low, high;  ///< the factor

  ProductBeforeSum(const Step& mul, const RowPart& part, const Environment& environment);
  Span factor(size_t i) const { return {low[i], high[i]}; }
};

/// A sum that a compiler may fuse with a multiplication: either all products are rounded, or one of them is not. `before`: the
/// mul that it follows.
void contracted_sum(const Step& step, const RowPart& part, const Environment& environment,
                    const std::optional<ProductBeforeSum>& before);

// Narrows a hidden quantity to the values that can have led to the stored output.

/// In which direction the hidden value must move so that the result matches the stored value.
enum class Direction { kFits, kUp, kDown, kBoth };

/// The numbers of `grid` in `hidden` for which `at` returns kFits, as an interval, by bisection (`at` is monotone). Empty if
/// there are none.
std::optional<Span> narrow(Span hidden, const Format& grid, const std::function<Direction(double)>& at);

/// The part of `hidden` (on the f32 grid) that the recipe can map to `stored`. The recipe must be increasing.
std::optional<Span> narrow(const Recipe& recipe, Span hidden, double stored, const Environment& environment);

}  // namespace assay
