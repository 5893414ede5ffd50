// Accepted results of cells and contracts in tests: a cell evaluated on one interval, and random results that it allows.
#pragma once

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "reference/formats/catalogue.h"
#include "reference/recipe/eval.h"
#include "reference/recipe/recipe.h"
#include "reference/testing/mpfr_programs.h"

namespace assay::eval_cells {

/// The names that cells in these tests may use.
inline const Names kEvalNames{{{"M", "448"}}, {{"x", &kBf16}, {"q", &kE4M3Fn}}, {"a", "s"}};

/// Evaluates the cell on interval v; the quantities `a` and `s` are the interval a.
inline Span run(const std::string& cell, Span v, Span a = point(1)) {
  Environment environment;
  environment.set("a", a);
  environment.set("s", a);
  return evaluate(parse_recipe(cell, kEvalNames), v, environment);
}

/// True if a <= b, where -0 counts as less than +0, because they have different codes.
inline bool not_above(double a, double b) { return a < b || (a == b && (a != 0 || std::signbit(a) || !std::signbit(b))); }

/// True if an interval contains the value.
inline bool accepts(Span span, double value) {
  if (span.any()) return true;
  if (std::isnan(value) || std::isnan(span.low)) return std::isnan(value) && std::isnan(span.low);
  return not_above(span.low, value) && not_above(value, span.high);
}

inline bool same(Span a, Span b) {
  const auto end = [](double x, double y) { return x == y || (std::isnan(x) && std::isnan(y)); };
  return end(a.low, b.low) && end(a.high, b.high);
}

// Draws a random one of the results that a recipe allows for a value, step by step.

/// A random interval of f32 values: a point, a narrow one, a wide one, one that ends at zero or infinity, NaN, or any.
inline Span random_span(RandomNumbers& random, const std::vector<double>& special) {
  const auto number = [&] { return random.below(3) == 0 ? special[random.below(special.size())] : random.of(kF32); };
  const double x = number();
  if (std::isnan(x)) return random.below(2) == 0 ? point(x) : any_number();
  switch (random.below(4)) {
    case 0:
      return point(x);
    case 1: {
      double high = x;
      for (uint64_t i = random.below(5); i > 0; --i) high = next_up(kF32, high);
      return {x, high};
    }
    default: {
      const double y = number();
      return std::isnan(y) ? point(x) : not_above(x, y) ? Span{x, y} : Span{y, x};
    }
  }
}

/// A value in the interval: one of its ends, zero if it contains zero, or one in between.
inline double inside(RandomNumbers& random, Span span) {
  if (span.any()) return random.below(2) == 0 ? std::nan("") : random.of(kF32);
  if (span.pinned()) return span.low;
  switch (random.below(5)) {
    case 0:
      return span.low;
    case 1:
      return span.high;
    case 2:
      return span.low < 0 && span.high > 0 ? 0.0 : span.low;
    default: {
      const int64_t low = ordinal_of_value(kF32, span.low), high = ordinal_of_value(kF32, span.high);
      return decode(kF32, code_from_ordinal(kF32, int32_t(low + int64_t(random.below(uint64_t(high - low + 1))))));
    }
  }
}

inline Step without_freedom(Step step) {
  step.slack_ulps = 0;
  step.slack_per_unit = step.slack_relative = 0;
  step.fast = step.contracted = false;
  return step;
}

/// v +- a * a, or v +- a, as a compiler may compute it: fused with one product, which stays unrounded. The product is a * a, or
/// `before`, the two factors of the step before, whose product is v.
inline double fused_sum(RandomNumbers& random, const Step& step, double v, double a, const std::pair<double, double>* before) {
  const double sign = step.verb == Verb::kSub ? -1 : 1;
  const auto fma = [](double x, double y, double z) {
    const bool beyond_f32 = std::isfinite(x) && std::isinf(float(x));  // pow2 may return 2^128, which f32 lacks
    return beyond_f32 ? round_to(kF32, x * y + z, Rounding::kNearestEven, Overflow::kSpecial)
                      : double(std::fma(float(x), float(y), float(z)));
  };
  const bool alone = step.a.times.empty();
  if (before == nullptr || random.below(2) == 0) return fma(sign * a, alone ? 1 : a, v);
  return fma(before->first, before->second, sign * (alone ? a : double(float(a * a))));
}

/// One result that a recipe allows for these numbers. A step with an allowed error returns a random number within it.
inline double legal_result(RandomNumbers& random, const Recipe& recipe, double v, const Environment& environment) {
  std::pair<double, double> product;
  const std::pair<double, double>* before = nullptr;
  for (const Step& step : recipe.steps) {
    Recipe single;
    single.steps = {step};
    single.steps[0] = without_freedom(step);
    const double argument = v, a = environment.get("a").scalar.low;
    v = evaluate(single, point(v), environment).low;
    if (step.contracted && random.below(3) > 0) v = fused_sum(random, step, argument, a, before);
    product = {argument, a};
    before = step.text == "mul(a)" && *step.working == kF32 ? &product : nullptr;
    const double exact = v;
    if (v == 0 || !std::isfinite(v)) continue;
    const double earned = std::floor(step.slack_per_unit * std::fabs(argument));
    const uint64_t ulps = uint64_t(step.slack_ulps) + uint64_t(std::isfinite(earned) ? earned : 0);
    for (uint64_t i = random.below(ulps + 1), up = random.below(2); i > 0 && v != 0; --i) {
      const double next = up ? next_up(*step.working, v) : next_down(*step.working, v);
      if (std::isfinite(next)) v = next;
    }
    if (step.slack_relative > 0 && std::isfinite(argument)) {
      const double part = step.slack_relative * (double(random.below(2049)) - 1024) / 1024;
      const double near = round_to(*step.working, exact * (1 + part), Rounding::kNearestEven, Overflow::kSpecial);
      if (std::fabs(near - exact) <= step.slack_relative * std::fabs(exact)) v = near;
    }
    if (step.fast && std::fabs(argument) > 0x1p126 && random.below(2) == 0) v = std::copysign(0.0, v);
  }
  return v;
}

}  // namespace assay::eval_cells
