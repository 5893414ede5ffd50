// Evaluates recipes on intervals: arithmetic steps, rounding, reductions.
#include "reference/recipe/eval.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "reference/formats/catalogue.h"
#include "reference/recipe/recipe.h"

namespace assay {

Lane lane(const std::string& name, const RowPart& part, const Environment& environment) {
  const Environment::Value& value = environment.get(name);
  if (!value.row) return {&value.scalar.low, &value.scalar.high, true};
  const double* low = value.row->low.data() + part.first;
  return {low, value.row->pinned() ? low : value.row->high.data() + part.first, false};
}

Lane lane(const Operand& operand, const RowPart& part, const Environment& environment) {
  if (operand.name.empty()) return {&operand.constant, &operand.constant, true};
  return lane(operand.name, part, environment);
}

namespace {

/// The operand of a step for a part of a row. If it is a product of two quantities, this object holds the product.
class OperandOf {
 public:
  OperandOf(const Step& step, const RowPart& part, const Environment& environment)
      : lane_(assay::lane(step.a, part, environment)) {
    const bool with_constant = !step.a.name.empty() && step.a.constant != 0;
    if (step.a.times.empty() && !with_constant) return;
    const Lane other =
        with_constant ? Lane{&step.a.constant, &step.a.constant, true} : assay::lane(step.a.times, part, environment);
    const Grid grid = grid_of(*step.working, Overflow::kSpecial);
    const bool pinned = lane_.low == lane_.high && other.low == other.high;
    product_.low = copied(lane_.low, part.size);
    if (pinned) {
      lanes().arithmetic(Verb::kMul, grid, product_.low.data(), other, part.size);
      lane_ = {product_.low.data(), product_.low.data(), false};
      return;
    }
    product_.high = copied(lane_.high, part.size);
    lanes().arithmetic_spans(Verb::kMul, grid, product_.low.data(), product_.high.data(), other, part.size);
    lane_ = {product_.low.data(), product_.high.data(), false};
  }
  OperandOf(const OperandOf&) = delete;
  OperandOf& operator=(const OperandOf&) = delete;

  const Lane& lane() const { return lane_; }
  Span operator[](size_t i) const { return {lane_.low[lane_.scalar ? 0 : i], lane_.high[lane_.scalar ? 0 : i]}; }

 private:
  std::vector<double> copied(const double* ends, size_t size) const {
    return lane_.scalar ? std::vector<double>(size, *ends) : std::vector<double>(ends, ends + size);
  }
  Lane lane_;
  Spans product_;
};

/// The sum of two integers. If only some sums of an interval wrap around, the result is `any`.
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

void add_integers(const Step& step, const RowPart& part, const Lane& b) {
  for (size_t i = 0; i < part.size; ++i) {
    const size_t at = b.scalar ? 0 : i;
    part.set(i, integer_sum(step, part[i], {b.low[at], b.high[at]}));
  }
}

Span negated(Span span) { return {-span.high, -span.low}; }

}  // namespace

void arithmetic(const Step& step, const RowPart& part, const Environment& environment) {
  const OperandOf operand(step, part, environment);
  const Lane& b = operand.lane();
  if (step.working->is_integer()) return add_integers(step, part, b);
  const Grid grid = grid_of(*step.working, Overflow::kSpecial);
  if (part.pinned())
    lanes().arithmetic(step.verb, grid, part.low, b, part.size);
  else
    lanes().arithmetic_spans(step.verb, grid, part.low, part.high, b, part.size);
}

void multiply_add(const Step& step, const RowPart& part, const Environment& environment) {
  const OperandOf factor(step, part, environment);
  const Lane b = lane(step.b, part, environment);
  if (part.pinned()) return lanes().fma(part.low, factor.lane(), b, part.size);
  for (size_t i = 0; i < part.size; ++i) {
    const size_t at = b.scalar ? 0 : i;
    part.set(i, fused(part[i], factor[i], {b.low[at], b.high[at]}));
  }
}

ProductBeforeSum::ProductBeforeSum(const Step& mul, const RowPart& part, const Environment& environment) : number(copy_of(part)) {
  const OperandOf factor(mul, part, environment);
  for (size_t i = 0; i < part.size; ++i) low.push_back(factor[i].low), high.push_back(factor[i].high);
}

void contracted_sum(const Step& step, const RowPart& part, const Environment& environment,
                    const std::optional<ProductBeforeSum>& before) {
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

namespace {

/// True if a recipe can turn exact values into intervals: a step allows an error, or an operand is an interval.
bool frees(const Recipe& recipe, const RowPart& part, const Environment& environment) {
  for (const Step& step : recipe.steps) {
    if (step.is_free() || step.beyond == BeyondInteger::kUndefined) return true;
    for (const std::string& name : {step.a.name, step.a.times, step.b.name}) {
      if (name.empty()) continue;
      const Lane a = lane(name, part, environment);
      for (size_t i = 0; a.low != a.high && i < (a.scalar ? 1 : part.size); ++i)
        if (!Span{a.low[i], a.high[i]}.pinned()) return true;
    }
  }
  return false;
}

/// max, min or if0 of one number and an operand.
double choose(const Step& step, double v, double a) {
  if (step.verb == Verb::kIf0) return v == 0 ? a : v;
  return pick(step, v, a);
}

/// choose() on intervals. max and min are monotone in both arguments. If NaN is dropped and one argument is `any`, the other
/// bounds the result.
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

/// The verb ifle: values <= `bound` become `instead`. If the interval v has values on both sides of the bound, the result covers
/// `instead` and the larger values, because the step is not monotone.
Span instead_of_small(Span v, Span bound, Span instead) {
  if (v.any() || bound.any() || (std::isnan(instead.low) && !v.pinned())) return any_number();
  if (std::isnan(v.low) || std::isnan(bound.low) || v.low > bound.high) return v;
  if (v.high <= bound.low) return instead;
  return hull(instead, {std::fmax(v.low, bound.low), v.high});
}

void replace_small(const Step& step, const RowPart& part, const Environment& environment) {
  const Lane bound = lane(step.a, part, environment), instead = lane(step.b, part, environment);
  const auto at = [](const Lane& lane, size_t i) {
    const size_t place = lane.scalar ? 0 : i;
    return Span{lane.low[place], lane.high[place]};
  };
  for (size_t i = 0; i < part.size; ++i) part.set(i, instead_of_small(part[i], at(bound, i), at(instead, i)));
}

void compare(const Step& step, const RowPart& part, const Environment& environment) {
  const Lane b = lane(step.a, part, environment);
  const auto at = [&](size_t i) { return b.scalar ? 0 : i; };
  for (size_t i = 0; i < part.size; ++i) {
    if (part.pinned())
      part.low[i] = choose(step, part.low[i], b.low[at(i)]);
    else
      part.set(i, choose(step, part[i], Span{b.low[at(i)], b.high[at(i)]}));
  }
}

void clamp(const Step& step, const RowPart& part) {
  const double upper = step.a.constant, lower = step.b.constant;
  const Bounds bounds{lower, upper, step.nan == NanRule::kToLow ? lower : step.nan == NanRule::kToHigh ? upper : std::nan("")};
  if (part.pinned())
    lanes().clamp(part.low, bounds, part.size);
  else
    lanes().clamp_spans(part.low, part.high, bounds, part.size);
}

/// Flushes subnormal f32 values to zero. This is monotone, so each end is flushed separately.
void flush(const RowPart& part) {
  const double least = std::ldexp(1.0, kF32.min_exponent());
  for (double* const ends : {part.low, part.high})
    for (size_t i = 0; ends && i < part.size; ++i) ends[i] = std::fabs(ends[i]) < least ? std::copysign(0.0, ends[i]) : ends[i];
}

/// Converts exact values to an integer format: to nearest, NaN to 0.
void saturate(const Format& integer, const RowPart& part) {
  const double largest = max_finite(integer);
  for (size_t i = 0; i < part.size; ++i) {
    const double v = part.low[i];
    part.low[i] = std::isnan(v) ? 0 : std::clamp(std::nearbyint(v), -largest - 1, largest);
  }
}

void each(const Step& step, const RowPart& part) {
  if (step.verb == Verb::kFtz && !step.working->is_integer()) return flush(part);
  for (size_t i = 0; i < part.size; ++i) part.set(i, apply(step, part[i]));
}

/// Remembers the infinities of a part. A conversion that saturates only finite numbers must keep them.
class Infinities {
 public:
  explicit Infinities(const RowPart& part) {
    for (double* const ends : {part.low, part.high})
      for (size_t i = 0; ends && i < part.size; ++i)
        if (std::isinf(ends[i])) found_.emplace_back(ends + i, ends[i]);
  }
  void restore() const {
    for (const auto& [place, value] : found_) *place = value;
  }

 private:
  std::vector<std::pair<double*, double>> found_;
};

void round_to_format(const Step& step, const RowPart& part) {
  const Specials specials = step.target->specials;
  const bool nearest = step.rounding == Rounding::kNearestEven;
  if (nearest && specials == Specials::kInteger && step.beyond == BeyondInteger::kSaturate && part.pinned())
    return saturate(*step.target, part);
  const bool by_lanes =
      nearest && specials != Specials::kInteger && specials != Specials::kScale && specials != Specials::kFinite;
  if (!by_lanes) return each(step, part);
  const Grid grid = grid_of(*step.target, step.overflow);
  if (part.pinned())
    lanes().round(grid, part.low, part.size);
  else
    lanes().round_spans(grid, part.low, part.high, part.size);
}

void convert(const Step& step, const RowPart& part) {
  if (!step.keeps_infinity) return round_to_format(step, part);
  const Infinities infinities(part);
  round_to_format(step, part);
  infinities.restore();
}

void run(const Recipe& recipe, const RowPart& part, const Environment& environment, StepListener* listener) {
  std::optional<ProductBeforeSum> before;
  for (size_t at = 0; at < recipe.steps.size(); ++at) {
    const Step& step = recipe.steps[at];
    const bool into_sum = at + 1 < recipe.steps.size() && recipe.steps[at + 1].contracted && *step.working == kF32;
    if (step.contracted) {
      contracted_sum(step, part, environment, before);
      if (listener) listener->step(step, part);
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
      case Verb::kFma:
        multiply_add(step, part, environment);
        break;
      case Verb::kMax:
      case Verb::kMin:
      case Verb::kIf0:
        compare(step, part, environment);
        break;
      case Verb::kIfLe:
        replace_small(step, part, environment);
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
    if (listener) listener->step(step, part);
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
  throw std::out_of_range("the op kind provides no quantity '" + std::string(name) + "' to this cell");
}

void evaluate(const Recipe& recipe, Spans& row, size_t first, size_t count, const Environment& environment,
              StepListener* listener) {
  RowPart part{row.low.data() + first, nullptr, first, count};
  if (row.pinned() && frees(recipe, part, environment)) row.widen();
  if (!row.pinned()) part.high = row.high.data() + first;
  run(recipe, part, environment, listener);
}

void evaluate(const Recipe& recipe, Spans& row, const Environment& environment, StepListener* listener) {
  evaluate(recipe, row, 0, row.size(), environment, listener);
}

Span evaluate(const Recipe& recipe, Span value, const Environment& environment) {
  run(recipe, {&value.low, &value.high, 0, 1}, environment, nullptr);
  return value;
}

}  // namespace assay
