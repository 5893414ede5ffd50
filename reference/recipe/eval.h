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

// The numbers that a recipe works on.

/// A part of a row while a recipe runs over it. Its numbers are pinned throughout (no `high`) or spans from the first step on.
struct RowPart {
  double *low, *high;
  size_t first, size;  ///< where it is in the row
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

// Running a recipe over one span or a row of them: a fold, step after step over the whole row.

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

// What a step without a second row makes of one number and of an interval.

/// The number that the low bits of an int32 stand for.
double low_bits(const Format& integer, double int32);

/// A function of one real, then one rounding to the working format. @throws std::logic_error for a verb with an operand.
double apply(const Step& step, double v);

/// The same of all numbers of an interval.
Span apply(const Step& step, Span v);

/// max or min, with the step's rule for NaN.
double pick(const Step& step, double v, double a);

/// The least interval that holds both.
Span hull(Span a, Span b);

// What a step's freedom adds to its correctly rounded result.

/// Every legal result is within slack_ulps of the working format's steps around the correctly rounded one. A zero stays a zero:
/// it comes from a zero operand, or lies so far below every grid judged here that one f32 subnormal makes no difference; and the
/// sign is not free.
void widen(const Step& step, const RowPart& part);

/// Freedom that depends on what the step took: element by element.
void widen_by_arguments(const Step& step, const Spans& arguments, const RowPart& part);

// Sums of which a compiler may make a fused multiply-add.

/// Either of two answers. NaN where both are.
Span either(Span a, Span b);

/// a b + c on intervals of f32 with one rounding. It is affine in each number, so its ends are corners.
Span fused(Span a, Span b, Span c);

// Steps that add, multiply or divide over a part of a row, with the quantities that they name.

/// A quantity over a part, or an operand, which may be a constant.
Lane lane(const std::string& name, const RowPart& part, const Environment& environment);
Lane lane(const Operand& operand, const RowPart& part, const Environment& environment);

/// add, sub, mul, div and rdiv, each rounded once to the working format.
void arithmetic(const Step& step, const RowPart& part, const Environment& environment);

/// v * a + b, rounded once.
void multiply_add(const Step& step, const RowPart& part, const Environment& environment);

/// What a mul before a sum took: its number and its factor.
struct ProductBeforeSum {
  Spans number;
  std::vector<double> low, high;  ///< of the factor

  ProductBeforeSum(const Step& mul, const RowPart& part, const Environment& environment);
  Span factor(size_t i) const { return {low[i], high[i]}; }
};

/// A sum of which a compiler may make a fused multiply-add: all products rounded, or one of them not. `before`: of a mul that it
/// follows.
void contracted_sum(const Step& step, const RowPart& part, const Environment& environment,
                    const std::optional<ProductBeforeSum>& before);

// Conditioning: which values of a hidden quantity can have led to what a kernel stored.

/// Which way the hidden value has to move so that the result meets what was stored.
enum class Direction { kFits, kUp, kDown, kBoth };

/// The numbers of `grid` in `hidden` for which `at` says kFits, as an interval, by bisection: `at` is monotone. Empty if there is none.
std::optional<Span> narrow(Span hidden, const Format& grid, const std::function<Direction(double)>& at);

/// The part of `hidden` (on the f32 grid) that the recipe may map onto `stored`. The recipe is monotone upward.
std::optional<Span> narrow(const Recipe& recipe, Span hidden, double stored, const Environment& environment);

}  // namespace assay
