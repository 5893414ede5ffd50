#include "reference/recipe/elementary.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "reference/exact/correctly_rounded.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/codes.h"
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

/// Whether v, rounded, is within the integer format.
bool fits(const Step& step, double v) {
  const double whole = step.rounding == Rounding::kTowardZero    ? std::trunc(v)
                       : step.rounding == Rounding::kNearestAway ? std::round(v)
                                                                 : std::nearbyint(v);
  return -max_finite(*step.target) - 1 <= whole && whole <= max_finite(*step.target);  // false for NaN
}

/// a <= b with -0 below +0.
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

/// Whether an integer step is discontinuous on the interval v.
bool breaks(const Step& step, Span v) {
  if (step.verb != Verb::kTo || step.beyond == BeyondInteger::kSaturate) return false;
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
      throw std::logic_error("verb without a function of one real");
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
  if (step.verb == Verb::kRsqrt && v.low == 0 && std::signbit(v.low)) return any_number();     // -Inf there, +Inf next to it
  if (step.verb == Verb::kTo && step.target->specials == Specials::kScale) v = magnitudes(v);  // a scale has no sign
  const Span result = ordered(apply(step, v.low), apply(step, v.high));
  const bool overflows_at_both_ends = std::isnan(result.low) && std::isnan(result.high) && holds_zero_inside(v);
  return overflows_at_both_ends ? any_number() : result;
}

}  // namespace assay
