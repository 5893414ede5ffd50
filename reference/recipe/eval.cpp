#include "reference/recipe/eval.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <stdexcept>
#include <string>

#include "reference/exact/correctly_rounded.h"
#include "reference/formats/catalogue.h"
#include "reference/recipe/lanes.h"
#include "reference/recipe/verbs.h"

namespace assay {
namespace {

double power_of_two(double v, Pow2 rule) {
  if (!(v > 0) || std::isinf(v)) return v;
  int exponent;
  const double m = 2 * std::frexp(v, &exponent);
  const bool up = rule == Pow2::kCeil            ? m > 1
                  : rule == Pow2::kEven          ? m >= 1.9375
                  : rule == Pow2::kThreeQuarters ? m >= 1.75
                                                 : false;
  return std::ldexp(1.0, exponent - 1 + up);
}

bool is_integer(const Format& format) { return format.specials == Specials::kInteger; }

/// The number that the low bits of an int32 stand for.
double low_bits(const Format& integer, double int32) { return decode(integer, uint32_t(int64_t(int32))); }

/// v in an integer format, with NaN as 0.
double to_integer(const Step& step, double v) {
  if (std::isnan(v)) return 0;
  if (step.beyond == BeyondInteger::kWrap) return low_bits(*step.target, round_to(kInt32, v, step.rounding, Overflow::kSaturate));
  return round_to(*step.target, v, step.rounding, Overflow::kSaturate);
}

/// Whether v, rounded, is a number of the integer format.
bool fits(const Step& step, double v) {
  const double whole = step.rounding == Rounding::kTowardZero    ? std::trunc(v)
                       : step.rounding == Rounding::kNearestAway ? std::round(v)
                                                                 : std::nearbyint(v);
  return -max_finite(*step.target) - 1 <= whole && whole <= max_finite(*step.target);  // false for NaN
}

/// A function of one real, then one rounding to the working format.
double apply(const Step& step, double v) {
  if (is_integer(*step.working) && std::isnan(v)) v = 0;  // the step makes an integer of it: PTX ISA, cvt
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
    case Verb::kSqrt:
      return correctly_rounded(Function::kSqrt, v, *step.working);
    case Verb::kRsqrt:
      return correctly_rounded(Function::kRsqrt, v, *step.working);
    case Verb::kTo:
      if (is_integer(*step.target)) return to_integer(step, v);
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
  if (v == 0 && a == 0) return std::signbit(v) == larger ? a : v;  // -0 lies below +0: IEEE 754-2019, 9.6
  return (larger ? v >= a : v <= a) ? v : a;
}

/// a <= b with -0 below +0.
bool not_above(double a, double b) { return a < b || (a == b && (std::signbit(a) || !std::signbit(b))); }

Span ordered(double a, double b) {
  if (std::isnan(a) && std::isnan(b)) return point(a);
  if (std::isnan(a) || std::isnan(b)) return any_number();
  return not_above(a, b) ? Span{a, b} : Span{b, a};
}

Span hull(Span a, Span b) { return {not_above(a.low, b.low) ? a.low : b.low, not_above(a.high, b.high) ? b.high : a.high}; }

bool holds_zero_inside(Span v) { return v.low < 0 && v.high > 0; }

Span magnitudes(Span v) {
  return holds_zero_inside(v) ? Span{0, std::max(-v.low, v.high)} : ordered(std::fabs(v.low), std::fabs(v.high));
}

/// Whether all of v goes through an integer step in one piece.
bool breaks(const Step& step, Span v) {
  if (step.verb != Verb::kTo || step.beyond == BeyondInteger::kSaturate) return false;
  if (step.beyond == BeyondInteger::kUndefined) return !fits(step, v.low) || !fits(step, v.high);
  const auto wraps = [&](double x) {
    return round_to(kInt32, x, step.rounding, Overflow::kSaturate) !=
           round_to(*step.target, x, step.rounding, Overflow::kSaturate);
  };
  return !v.pinned() && (wraps(v.low) || wraps(v.high));
}

Span apply(const Step& step, Span v) {
  if (breaks(step, v)) return any_number();
  if (v.pinned()) return point(apply(step, v.low));
  if (v.any()) return v;
  if (step.verb == Verb::kAbs) return magnitudes(v);
  if (step.verb == Verb::kRcp && v.low <= 0 && v.high >= 0) return any_number();
  if (step.verb == Verb::kRsqrt && v.low == 0 && std::signbit(v.low)) return any_number();     // -Inf there and +Inf beside it
  if (step.verb == Verb::kTo && step.target->specials == Specials::kScale) v = magnitudes(v);  // a scale has no sign
  const Span result = ordered(apply(step, v.low), apply(step, v.high));
  const bool overflows_at_both_ends = std::isnan(result.low) && std::isnan(result.high) && holds_zero_inside(v);
  return overflows_at_both_ends ? any_number() : result;
}

/// A part of a row while a recipe runs over it. Its numbers are pinned throughout (no `high`) or spans from the first step on.
struct Part {
  double *low, *high;
  size_t first, size;  ///< where it stands in the row
  bool pinned() const { return high == nullptr; }
  Span operator[](size_t i) const { return {low[i], pinned() ? low[i] : high[i]}; }
  void set(size_t i, Span span) const {
    low[i] = span.low;
    if (!pinned()) high[i] = span.high;
  }
};

Spans copy_of(const Part& part) {
  Spans copy(std::vector<double>(part.low, part.low + part.size));
  if (!part.pinned()) copy.high.assign(part.high, part.high + part.size);
  return copy;
}

/// Every legal result is within slack_ulps of the working format's steps around the correctly rounded one. A zero stays a zero:
/// it comes from a zero operand, or lies so far below every grid judged here that one f32 subnormal makes no difference; and the
/// sign is not free.
void widen(const Step& step, const Part& part) {
  lanes().widen_spans(grid_of(*step.working, Overflow::kSpecial), step.slack_ulps, part.low, part.high, part.size);
}

/// As many ulp more as the largest argument earns; beyond kFurthest every function here has left its grid, for Inf or for zero.
Span widened_by_argument(const Step& step, Span argument, Span result) {
  constexpr double kFurthest = 1024;
  const double largest = std::min(std::fmax(std::fabs(argument.low), std::fabs(argument.high)), kFurthest);
  const double steps = step.slack_ulps + std::floor(step.slack_per_unit * largest);
  lanes().widen_spans(grid_of(*step.working, Overflow::kSpecial), steps, &result.low, &result.high, 1);
  return result;
}

/// Numbers of the grid within a part of the exact result, which lies no further from its rounded value than halfway to the
/// neighbours. A zero stays one, and an infinite argument alone has an exact result.
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

/// __fdividef(x, y) is x times an approximate 1 / y that is zero for 2^126 < |y| < 2^128 (CUDA Programming Guide, Intrinsic
/// Functions); where it is a plain division (HIP) the quotient itself comes out.
Span with_zero_beyond(Span divisor, Span quotient) {
  constexpr double kLargestDivisor = 0x1p126;
  if (std::fmax(std::fabs(divisor.low), std::fabs(divisor.high)) <= kLargestDivisor) return quotient;
  if (quotient.low > 0) quotient.low = 0;
  if (quotient.high < 0) quotient.high = -0.0;
  return quotient;
}

/// Freedom that depends on what the step took: element by element.
void widen_by_arguments(const Step& step, const Spans& arguments, const Part& part) {
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

/// A quantity over a part.
Lane lane(const std::string& name, const Part& part, const Environment& environment) {
  const Environment::Value& value = environment.get(name);
  if (!value.row) return {&value.scalar.low, &value.scalar.high, true};
  const double* low = value.row->low.data() + part.first;
  return {low, value.row->pinned() ? low : value.row->high.data() + part.first, false};
}

Lane lane(const Operand& operand, const Part& part, const Environment& environment) {
  if (operand.name.empty()) return {&operand.constant, &operand.constant, true};
  return lane(operand.name, part, environment);
}

/// An operand over a part; a product of two quantities is made and kept here.
class OperandOf {
 public:
  OperandOf(const Step& step, const Part& part, const Environment& environment) : lane_(assay::lane(step.a, part, environment)) {
    if (step.a.times.empty()) return;
    const Lane other = assay::lane(step.a.times, part, environment);
    product_.low.resize(part.size);
    product_.high.resize(part.size);
    for (size_t i = 0; i < part.size; ++i)
      product_.low[i] = lane_.low[lane_.scalar ? 0 : i], product_.high[i] = lane_.high[lane_.scalar ? 0 : i];
    lanes().arithmetic_spans(Verb::kMul, grid_of(*step.working, Overflow::kSpecial), product_.low.data(), product_.high.data(),
                             other, part.size);
    lane_ = {product_.low.data(), product_.high.data(), false};
  }
  OperandOf(const OperandOf&) = delete;
  OperandOf& operator=(const OperandOf&) = delete;

  const Lane& lane() const { return lane_; }
  Span operator[](size_t i) const { return {lane_.low[lane_.scalar ? 0 : i], lane_.high[lane_.scalar ? 0 : i]}; }

 private:
  Lane lane_;
  Spans product_;
};

/// Whether a recipe can make spans of a pinned part: by slack, or by an operand that is one.
bool frees(const Recipe& recipe, const Part& part, const Environment& environment) {
  for (const Step& step : recipe.steps) {
    if (step.is_free() || step.beyond == BeyondInteger::kUndefined) return true;
    for (const std::string& name : {step.a.name, step.a.times}) {
      if (name.empty()) continue;
      const Lane a = lane(name, part, environment);
      for (size_t i = 0; a.low != a.high && i < (a.scalar ? 1 : part.size); ++i)
        if (!Span{a.low[i], a.high[i]}.pinned()) return true;
    }
  }
  return false;
}

/// The sum of two integers. On spans it may wrap only as a whole.
Span integer_sum(const Step& step, Span v, Span a) {
  if (v.any() || a.any()) return any_number();
  const Format& format = *step.working;
  const auto integer = [&](double x) {
    return std::isnan(x) ? 0 : round_to(format, x, Rounding::kNearestEven, Overflow::kSaturate);
  };
  v = {integer(v.low), integer(v.high)}, a = {integer(a.low), integer(a.high)};
  const double low = v.low + a.low, high = v.high + a.high;
  const double lowest = round_to(format, low, Rounding::kNearestEven, Overflow::kSaturate);
  const double highest = round_to(format, high, Rounding::kNearestEven, Overflow::kSaturate);
  if (step.beyond == BeyondInteger::kSaturate || (lowest == low && highest == high)) return {lowest, highest};
  return low == high ? point(low_bits(format, low)) : any_number();
}

void add_integers(const Step& step, const Part& part, const Lane& b) {
  for (size_t i = 0; i < part.size; ++i) {
    const size_t at = b.scalar ? 0 : i;
    part.set(i, integer_sum(step, part[i], {b.low[at], b.high[at]}));
  }
}

void arithmetic(const Step& step, const Part& part, const Environment& environment) {
  const OperandOf operand(step, part, environment);
  const Lane& b = operand.lane();
  if (is_integer(*step.working)) return add_integers(step, part, b);
  const Grid grid = grid_of(*step.working, Overflow::kSpecial);
  if (part.pinned())
    lanes().arithmetic(step.verb, grid, part.low, b, part.size);
  else
    lanes().arithmetic_spans(step.verb, grid, part.low, part.high, b, part.size);
}

/// Either of two answers. NaN where both are.
Span either(Span a, Span b) {
  if (a.any() || b.any() || std::isnan(a.low) != std::isnan(b.low)) return any_number();
  return std::isnan(a.low) ? a : hull(a, b);
}

/// fused() where all numbers are finite. A product of two f32 numbers is exact in f64, and one rounding is monotone, so each end
/// of the result is one fma: that of the outermost product.
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

/// a b + c on intervals with one rounding. It is affine in each number, so its ends are corners.
Span fused(Span a, Span b, Span c) {
  const auto finite = [](Span span) { return std::isfinite(span.low) && std::isfinite(span.high); };
  if (finite(a) && finite(b) && finite(c)) {
    const Span result = fused_finite(a, b, c);
    if (result.low != 0 && result.high != 0) return result;  // the corners below know the sign of a zero
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

Span negated(Span span) { return {-span.high, -span.low}; }

/// What a mul before a sum took: its number and its factor.
struct Product {
  Spans number;
  std::vector<double> low, high;  ///< of the factor

  Product(const Step& mul, const Part& part, const Environment& environment) : number(copy_of(part)) {
    const OperandOf factor(mul, part, environment);
    for (size_t i = 0; i < part.size; ++i) low.push_back(factor[i].low), high.push_back(factor[i].high);
  }
  Span factor(size_t i) const { return {low[i], high[i]}; }
};

/// A sum of which a compiler may make a fused multiply-add: all products rounded, or one of them not.
void contracted_sum(const Step& step, const Part& part, const Environment& environment, const std::optional<Product>& before) {
  const OperandOf operand(step, part, environment);
  const Spans v = copy_of(part);
  arithmetic(step, part, environment);
  const bool subtracts = step.verb == Verb::kSub;
  const auto signed_span = [&](Span span) { return subtracts ? negated(span) : span; };
  const auto put_either = [&](size_t i, Span other) { part.set(i, either(part[i], other)); };
  if (!step.a.times.empty()) {
    const Lane a = lane(step.a.name, part, environment), b = lane(step.a.times, part, environment);
    const auto at = [](const Lane& lane, size_t i) {
      return Span{lane.low[lane.scalar ? 0 : i], lane.high[lane.scalar ? 0 : i]};
    };
    for (size_t i = 0; i < part.size; ++i) put_either(i, fused(signed_span(at(a, i)), at(b, i), v[i]));
  }
  if (!before) return;
  for (size_t i = 0; i < part.size; ++i) put_either(i, fused(before->number[i], before->factor(i), signed_span(operand[i])));
}

/// max, min or if0 of one number and an operand.
double choose(const Step& step, double v, double a) {
  if (step.verb == Verb::kIf0) return v == 0 ? a : v;
  return pick(step, v, a);
}

/// The same on intervals. max and min are monotone in both, and if a NaN is dropped one known number is a bound by itself.
Span choose(const Step& step, Span v, Span a) {
  if (step.verb == Verb::kIf0) {
    if (v.any() || !(v.low <= 0 && v.high >= 0)) return v;
    if (v.pinned()) return a;
    return std::isnan(a.low) ? any_number() : hull(v, a);
  }
  if (!v.any() && !a.any()) return {pick(step, v.low, a.low), pick(step, v.high, a.high)};
  const Span known = v.any() ? a : v;
  if (step.nan == NanRule::kKeep && std::isnan(known.low) && !known.any()) return known;
  if (step.nan == NanRule::kKeep || std::isnan(known.low)) return any_number();
  return step.verb == Verb::kMax ? Span{known.low, HUGE_VAL} : Span{-HUGE_VAL, known.high};
}

void compare(const Step& step, const Part& part, const Environment& environment) {
  const Lane b = lane(step.a, part, environment);
  const auto at = [&](size_t i) { return b.scalar ? 0 : i; };
  for (size_t i = 0; i < part.size; ++i) {
    if (part.pinned())
      part.low[i] = choose(step, part.low[i], b.low[at(i)]);
    else
      part.set(i, choose(step, part[i], Span{b.low[at(i)], b.high[at(i)]}));
  }
}

void clamp(const Step& step, const Part& part) {
  const double upper = step.a.constant, lower = step.b.constant;
  const Bounds bounds{lower, upper, step.nan == NanRule::kToLow ? lower : step.nan == NanRule::kToHigh ? upper : std::nan("")};
  if (part.pinned())
    lanes().clamp(part.low, bounds, part.size);
  else
    lanes().clamp_spans(part.low, part.high, bounds, part.size);
}

void each(const Step& step, const Part& part) {
  for (size_t i = 0; i < part.size; ++i) part.set(i, apply(step, part[i]));
}

void convert(const Step& step, const Part& part) {
  const Specials specials = step.target->specials;
  if (step.rounding != Rounding::kNearestEven || specials == Specials::kInteger || specials == Specials::kScale)
    return each(step, part);
  const Grid grid = grid_of(*step.target, step.overflow);
  if (part.pinned())
    lanes().round(grid, part.low, part.size);
  else
    lanes().round_spans(grid, part.low, part.high, part.size);
}

void run(const Recipe& recipe, const Part& part, const Environment& environment) {
  std::optional<Product> before;
  for (size_t at = 0; at < recipe.steps.size(); ++at) {
    const Step& step = recipe.steps[at];
    const bool into_sum = at + 1 < recipe.steps.size() && recipe.steps[at + 1].contracted && *step.working == kF32;
    if (step.contracted) {
      contracted_sum(step, part, environment, before);
      continue;
    }
    before.reset();
    if (into_sum && step.verb == Verb::kMul) before.emplace(step, part, environment);
    const bool by_argument = step.slack_per_unit > 0 || step.slack_relative > 0 || step.fast;
    const Spans arguments = by_argument ? copy_of(part) : Spans();
    switch (step.verb) {
      case Verb::kAdd:
      case Verb::kSub:
      case Verb::kMul:
      case Verb::kDiv:
      case Verb::kRdiv:
        arithmetic(step, part, environment);
        break;
      case Verb::kMax:
      case Verb::kMin:
      case Verb::kIf0:
        compare(step, part, environment);
        break;
      case Verb::kClamp:
        clamp(step, part);
        break;
      case Verb::kTo:
        convert(step, part);
        break;
      default:
        each(step, part);
    }
    if (by_argument)
      widen_by_arguments(step, arguments, part);
    else if (step.slack_ulps > 0)
      widen(step, part);
  }
}

}  // namespace

void Environment::set(std::string_view name, Span value) {
  for (Value& known : values_)
    if (known.name == name) return void(known = {name, value, nullptr});
  values_.push_back({name, value, nullptr});
}

void Environment::set(std::string_view name, const Spans& row) {
  for (Value& known : values_)
    if (known.name == name) return void(known = {name, {}, &row});
  values_.push_back({name, {}, &row});
}

const Environment::Value& Environment::get(std::string_view name) const {
  for (const Value& value : values_)
    if (value.name == name) return value;
  throw std::out_of_range("the flow does not name '" + std::string(name) + "'");
}

void evaluate(const Recipe& recipe, Spans& row, size_t first, size_t count, const Environment& environment) {
  Part part{row.low.data() + first, nullptr, first, count};
  if (row.pinned() && frees(recipe, part, environment)) row.widen();
  if (!row.pinned()) part.high = row.high.data() + first;
  run(recipe, part, environment);
}

void evaluate(const Recipe& recipe, Spans& row, const Environment& environment) {
  evaluate(recipe, row, 0, row.size(), environment);
}

Span evaluate(const Recipe& recipe, Span value, const Environment& environment) {
  run(recipe, {&value.low, &value.high, 0, 1}, environment);
  return value;
}

}  // namespace assay
