// Elementary functions on intervals, allowed errors of steps, fused multiply-adds, and narrowing by stored outputs.
#include "reference/recipe/eval.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <utility>

#include "reference/exact/exact_sum.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"

namespace assay {
namespace {

double power_of_two(double v, Pow2 rule) {
  if (!(v > 0) || std::isinf(v)) return v;
  int exponent;
  const double m = 2 * std::frexp(v, &exponent);
  const bool up = rule == Pow2::kCeil            ? m > 1
                  : rule == Pow2::kEven          ? m >= 1.9375
                  : rule == Pow2::kThreeQuarters ? m >= 1.75
                  : rule == Pow2::kHalf          ? m >= 1.5
                                                 : false;
  return std::ldexp(1.0, exponent - 1 + up);
}

/// v converted to an integer format; NaN becomes 0.
double to_integer(const Step& step, double v) {
  if (std::isnan(v)) return 0;
  if (step.beyond == BeyondInteger::kWrap) return low_bits(*step.target, round_to(kInt32, v, step.rounding, Overflow::kSaturate));
  return round_to(*step.target, v, step.rounding, Overflow::kSaturate);
}

/// True if v, rounded to an integer, lies in the range of the integer format.
bool fits(const Step& step, double v) {
  const double whole = step.rounding == Rounding::kTowardZero    ? std::trunc(v)
                       : step.rounding == Rounding::kNearestAway ? std::round(v)
                                                                 : std::nearbyint(v);
  return -max_finite(*step.target) - 1 <= whole && whole <= max_finite(*step.target);  // false for NaN
}

/// True if a <= b, where -0 counts as less than +0.
bool not_above(double a, double b) { return a < b || (a == b && (std::signbit(a) || !std::signbit(b))); }

Span ordered(double a, double b) {
  if (std::isnan(a) && std::isnan(b)) return point(a);
  if (std::isnan(a) || std::isnan(b)) return any_number();
  return not_above(a, b) ? Span{a, b} : Span{b, a};
}

bool holds_zero_inside(Span v) { return v.low < 0 && v.high > 0; }

Span magnitudes(Span v) {
  return holds_zero_inside(v) ? Span{0, std::max(-v.low, v.high)} : ordered(std::fabs(v.low), std::fabs(v.high));
}

/// True if the results of a conversion on the interval v form no interval: the conversion wraps, or is undefined for some value.
bool breaks(const Step& step, Span v) {
  if (step.verb != Verb::kTo || step.beyond == BeyondInteger::kSaturate) return false;
  if (!step.target->is_integer()) return std::isnan(v.low) || std::isnan(v.high);
  if (step.beyond == BeyondInteger::kUndefined) return !fits(step, v.low) || !fits(step, v.high);
  const auto wraps = [&](double x) {
    return round_to(kInt32, x, step.rounding, Overflow::kSaturate) !=
           round_to(*step.target, x, step.rounding, Overflow::kSaturate);
  };
  return !v.pinned() && (wraps(v.low) || wraps(v.high));
}

}  // namespace

double low_bits(const Format& integer, double int32) { return decode(integer, uint32_t(int64_t(int32))); }

double apply(const Step& step, double v) {
  if (step.working->is_integer() && std::isnan(v)) v = 0;  // the result is an integer: PTX ISA, cvt
  const auto nearest = [&](double x) { return round_to(*step.working, x, Rounding::kNearestEven, Overflow::kSpecial); };
  switch (step.verb) {
    case Verb::kRcp:
      return nearest(1 / v);
    case Verb::kNeg:
      return -v;
    case Verb::kAbs:
      return std::fabs(v);
    case Verb::kCeil:
      return nearest(std::ceil(v));
    case Verb::kRint:
      return nearest(std::nearbyint(v));
    case Verb::kTrunc:
      return nearest(std::trunc(v));
    case Verb::kFtz:
      return std::fabs(v) < std::ldexp(1.0, kF32.min_exponent()) ? std::copysign(0.0, v) : v;
    case Verb::kPow2:
      return power_of_two(v, step.pow2);
    case Verb::kExp:
      return correctly_rounded(Function::kExp, v, *step.working);
    case Verb::kExp2:
      return correctly_rounded(Function::kExp2, v, *step.working);
    case Verb::kLog2:
      return correctly_rounded(Function::kLog2, v, *step.working);
    case Verb::kTanh:
      return correctly_rounded(Function::kTanh, v, *step.working);
    case Verb::kErf:
      return correctly_rounded(Function::kErf, v, *step.working);
    case Verb::kSqrt:
      return correctly_rounded(Function::kSqrt, v, *step.working);
    case Verb::kRsqrt:
      return correctly_rounded(Function::kRsqrt, v, *step.working);
    case Verb::kTo:
      if (step.target->is_integer()) return to_integer(step, v);
      if (step.target->specials == Specials::kFinite && std::isnan(v)) return max_finite(*step.target);  // PTX ISA, cvt.satfinite
      return round_to(*step.target, v, step.rounding, step.overflow);
    default:
      throw std::logic_error("the verb is not a function of one real number");
  }
}

double pick(const Step& step, double v, double a) {
  const bool larger = step.verb == Verb::kMax;
  if (std::isnan(v) || std::isnan(a)) {
    if (step.nan == NanRule::kKeep) return std::nan("");
    return std::isnan(v) ? a : v;
  }
  if (v == 0 && a == 0) return std::signbit(v) == larger ? a : v;  // -0 is below +0: IEEE 754-2019, 9.6
  return (larger ? v >= a : v <= a) ? v : a;
}

Span hull(Span a, Span b) { return {not_above(a.low, b.low) ? a.low : b.low, not_above(a.high, b.high) ? b.high : a.high}; }

Span apply(const Step& step, Span v) {
  if (breaks(step, v)) return any_number();
  if (v.pinned()) return point(apply(step, v.low));
  if (v.any() && step.verb == Verb::kTo && step.target->specials == Specials::kFinite)
    return {-max_finite(*step.target), max_finite(*step.target)};
  if (v.any()) return v;
  if (step.verb == Verb::kAbs) return magnitudes(v);
  if (step.verb == Verb::kRcp && v.low <= 0 && v.high >= 0) return any_number();
  if (step.verb == Verb::kRsqrt && v.low == 0 && std::signbit(v.low)) return any_number();     // rsqrt(-0) = -Inf, rsqrt(0) = Inf
  if (step.verb == Verb::kTo && step.target->specials == Specials::kScale) v = magnitudes(v);  // a scale has no sign
  const Span result = ordered(apply(step, v.low), apply(step, v.high));
  const bool overflows_at_both_ends = std::isnan(result.low) && std::isnan(result.high) && holds_zero_inside(v);
  return overflows_at_both_ends ? any_number() : result;
}

namespace {

/// Widens by the error bound of the largest argument. Beyond kFurthest, every function here has reached Inf or zero.
Span widened_by_argument(const Step& step, Span argument, Span result) {
  constexpr double kFurthest = 1024;
  const double largest = std::min(std::fmax(std::fabs(argument.low), std::fabs(argument.high)), kFurthest);
  const double steps = step.slack_ulps + std::floor(step.slack_per_unit * largest);
  lanes().widen_spans(grid_of(*step.working, Overflow::kSpecial), steps, &result.low, &result.high, 1);
  return result;
}

/// Widens by slack_relative. The exact result is unknown, but lies at most half an ulp from `result`, its rounded value. A zero
/// stays zero. For an infinite argument the result is exact.
Span widened_by_part(const Step& step, Span argument, Span result) {
  const Format& grid = *step.working;
  const double part = step.slack_relative;
  if (std::isinf(argument.low) && argument.pinned()) return result;
  if (result.low != 0) {
    const double exact = (result.low + next_down(grid, result.low)) / 2;
    result.low = round_to(grid, exact * (exact > 0 ? 1 - part : 1 + part), Rounding::kUp, Overflow::kSpecial);
  }
  if (result.high != 0) {
    const double exact = (result.high + next_up(grid, result.high)) / 2;
    result.high = round_to(grid, exact * (exact > 0 ? 1 + part : 1 - part), Rounding::kDown, Overflow::kSpecial);
  }
  return result;
}

/// __fdividef(x, y) multiplies x by an approximate 1 / y that is zero for 2^126 < |y| < 2^128 (CUDA Programming Guide, Intrinsic
/// Functions). HIP divides normally. So both zero and the quotient are accepted.
Span with_zero_beyond(Span divisor, Span quotient) {
  constexpr double kLargestDivisor = 0x1p126;
  if (std::fmax(std::fabs(divisor.low), std::fabs(divisor.high)) <= kLargestDivisor) return quotient;
  if (quotient.low > 0) quotient.low = 0;
  if (quotient.high < 0) quotient.high = -0.0;
  return quotient;
}

}  // namespace

void widen(const Step& step, const RowPart& part) {
  lanes().widen_spans(grid_of(*step.working, Overflow::kSpecial), step.slack_ulps, part.low, part.high, part.size);
}

void widen_by_arguments(const Step& step, const Spans& arguments, const RowPart& part) {
  if (step.slack_ulps > 0 && step.slack_per_unit == 0) widen(step, part);
  for (size_t i = 0; i < part.size; ++i) {
    Span result = part[i];
    if (result.any() || std::isnan(result.low)) continue;
    if (step.slack_per_unit > 0) result = widened_by_argument(step, arguments[i], result);
    if (step.slack_relative > 0) result = widened_by_part(step, arguments[i], result);
    if (step.fast) result = with_zero_beyond(arguments[i], result);
    part.set(i, result);
  }
}

namespace {

/// fused() for finite numbers. A product of two f32 numbers is exact in f64, and rounding is monotone. So each end of the result
/// is one fma with the smallest or the largest product.
Span fused_finite(Span a, Span b, Span c) {
  std::pair<double, double> least{a.low, b.low}, most = least;
  for (const auto& corner : {std::pair{a.low, b.high}, std::pair{a.high, b.low}, std::pair{a.high, b.high}}) {
    const double product = corner.first * corner.second;
    if (product < least.first * least.second) least = corner;
    if (product > most.first * most.second) most = corner;
  }
  return {std::fma(float(least.first), float(least.second), float(c.low)),
          std::fma(float(most.first), float(most.second), float(c.high))};
}

}  // namespace

Span either(Span a, Span b) {
  if (a.any() || b.any() || std::isnan(a.low) != std::isnan(b.low)) return any_number();
  return std::isnan(a.low) ? a : hull(a, b);
}

Span fused(Span a, Span b, Span c) {
  const auto finite = [](Span span) { return std::isfinite(span.low) && std::isfinite(span.high); };
  if (finite(a) && finite(b) && finite(c)) {
    const Span result = fused_finite(a, b, c);
    if (result.low != 0 && result.high != 0) return result;  // if an end is zero, the loop below determines its sign
  }
  if (a.any() || b.any() || c.any()) return any_number();
  const auto reaches_infinity = [](Span span) { return std::isinf(span.low) || std::isinf(span.high); };
  const auto holds_zero = [](Span span) { return span.low <= 0 && span.high >= 0 && !span.pinned(); };
  if ((reaches_infinity(a) && holds_zero(b)) || (reaches_infinity(b) && holds_zero(a))) return any_number();
  Span result = point(0);
  for (int corner = 0; corner < 8; ++corner) {
    const auto at = [&](Span span, int bit) { return float(corner & bit ? span.high : span.low); };
    const Span value = point(std::fma(at(a, 1), at(b, 2), at(c, 4)));  // f32: one rounding, IEEE 754-2019, 5.4.1
    result = corner == 0 ? value : either(result, value);
  }
  return result;
}

std::optional<Span> narrow(Span hidden, const Format& grid, const std::function<Direction(double)>& at) {
  if (std::isnan(hidden.low) || std::isnan(hidden.high)) return hidden;
  const auto value = [&](int64_t o) { return decode(grid, code_from_ordinal(grid, int32_t(o))); };
  int64_t low = ordinal_of_value(grid, hidden.low), high = ordinal_of_value(grid, hidden.high);

  // finds the first value that is not too low, then the last that is not too high
  int64_t last = high;
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    const Direction direction = at(value(middle));
    if (direction == Direction::kBoth) return std::nullopt;
    if (direction == Direction::kUp) low = middle + 1;
    else high = middle;
  }
  if (at(value(low)) != Direction::kFits) return std::nullopt;
  const int64_t first = low;
  while (low < last) {
    const int64_t middle = low + (last - low + 1) / 2;
    if (at(value(middle)) == Direction::kFits) low = middle;
    else last = middle - 1;
  }
  return Span{value(first), value(low)};
}

std::optional<Span> narrow(const Recipe& recipe, Span hidden, double stored, const Environment& environment) {
  return narrow(hidden, kF32, [&](double v) {
    const Span result = evaluate(recipe, point(v), environment);
    if (result.high < stored) return Direction::kUp;
    if (result.low > stored) return Direction::kDown;
    return Direction::kFits;
  });
}

}  // namespace assay
