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

/// Part of a row while a recipe runs over it. Its values are exact (`high` is null) or intervals, and remain so for all steps.
struct RowPart {
  double *low, *high;
  size_t first, size;  ///< index of the first element in the row, and number of elements
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

// Runs a recipe over one interval or over a row of them: each step runs over the whole row before the next step begins.

/// The named quantities that the op kind provides to a cell. The caller owns the rows; they must outlive this object.
class Environment {
 public:
  void set(std::string_view name, Span value);
  void set(std::string_view name, const Spans& row);

  struct Value {
    std::string_view name;
    Span scalar;
    const Spans* row;  ///< nullptr: use the scalar
  };
  /// Throws std::out_of_range for an unknown name, which means that the op kind and the parser disagree.
  const Value& get(std::string_view name) const;

 private:
  std::vector<Value> values_;
};

/// Receives the results of each step, after the step has run over the whole row.
class StepListener {
 public:
  virtual ~StepListener() = default;
  virtual void step(const Step& step, const RowPart& after) = 0;
};

/// Applies every step to every element. If the recipe starts with a named quantity, `row` must hold its values.
void evaluate(const Recipe& recipe, Spans& row, const Environment& environment, StepListener* listener = nullptr);
/// Evaluates only `count` elements from `first` on, of the row and of every row in the environment.
void evaluate(const Recipe& recipe, Spans& row, size_t first, size_t count, const Environment& environment,
              StepListener* listener = nullptr);
Span evaluate(const Recipe& recipe, Span value, const Environment& environment);

// Evaluates a step that reads no other row, on one number or on an interval.

/// The value of the low bits of `int32`, read as two's complement of the narrower format `integer`.
double low_bits(const Format& integer, double int32);

/// Evaluates a step without operand on a number, rounded once to the working format. Throws std::logic_error for other steps.
double apply(const Step& step, double v);

/// apply() for an interval.
Span apply(const Step& step, Span v);

/// max or min, with the step's rule for NaN.
double pick(const Step& step, double v, double a);

/// The smallest interval that contains both.
Span hull(Span a, Span b);

// Widens the correctly rounded result of a step by the error that the step allows.

/// Every accepted result lies at most slack_ulps values of the working format from the correctly rounded result. A zero stays
/// zero: either an operand is zero, or the result is so small that one f32 subnormal more or less changes no output. The sign of
/// a result never changes.
void widen(const Step& step, const RowPart& part);

/// widen() for error bounds that depend on the argument of each element: slack_per_unit and slack_relative.
void widen_by_arguments(const Step& step, const Spans& arguments, const RowPart& part);

// Sums whose product a compiler may leave unrounded, by using a fused multiply-add.

/// The smallest interval that contains both results; NaN if both are NaN.
Span either(Span a, Span b);

/// a * b + c on f32 intervals, rounded once. It is affine in each argument, so its extremes lie at ends of a, b and c.
Span fused(Span a, Span b, Span c);

// Evaluates steps with operands (add, multiply, divide) over a part of a row.

/// The values of a named quantity, or of an operand (which may be a constant), for the elements of a part.
Lane lane(const std::string& name, const RowPart& part, const Environment& environment);
Lane lane(const Operand& operand, const RowPart& part, const Environment& environment);

/// The verbs add, sub, mul, div and rdiv, each rounded once to the working format.
void arithmetic(const Step& step, const RowPart& part, const Environment& environment);

/// v * a + b, rounded once.
void multiply_add(const Step& step, const RowPart& part, const Environment& environment);

/// Operands of the multiplication before a sum, for a fused multiply-add: number * factor, for each element.
struct ProductBeforeSum {
  Spans number;
  std::vector<double> low, high;  ///< the factor, an interval per element

  ProductBeforeSum(const Step& mul, const RowPart& part, const Environment& environment);
  Span factor(size_t i) const { return {low[i], high[i]}; }
};

/// A sum for which a compiler may use a fused multiply-add: either all products are rounded, or exactly one of them is not.
/// `before` is the multiplication in the step before, if there is one.
void contracted_sum(const Step& step, const RowPart& part, const Environment& environment,
                    const std::optional<ProductBeforeSum>& before);

// Narrows the interval of a quantity that is no output to the values from which the stored output can result.

/// How the quantity must change to give the stored values: not at all, up, or down. kBoth: up for one value, down for another.
enum class Direction { kFits, kUp, kDown, kBoth };

/// The values of `grid` in `hidden` for which `at` returns kFits, as an interval. Bisection finds them, since `at` is monotone.
/// Empty if there are none.
std::optional<Span> narrow(Span hidden, const Format& grid, const std::function<Direction(double)>& at);

/// The f32 values in `hidden` that the recipe can map to `stored`, as an interval. The recipe must be increasing.
std::optional<Span> narrow(const Recipe& recipe, Span hidden, double stored, const Environment& environment);

}  // namespace assay
