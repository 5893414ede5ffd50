// Cells for tests of eval.h, evaluated on one span.
#pragma once

#include <cmath>
#include <string>

#include "reference/formats/catalogue.h"
#include "reference/recipe/eval.h"
#include "reference/recipe/parse.h"

namespace assay::eval_cells {

/// The names that such a cell may use.
inline const Names kEvalNames{{{"M", "448"}}, {{"x", &kBf16}, {"q", &kE4M3Fn}}, {"a", "s"}};

/// Evaluates the cell on a span, with another span as `a` and as `s`.
inline Span run(const std::string& cell, Span v, Span a = point(1)) {
  Environment environment;
  environment.set("a", a);
  environment.set("s", a);
  return evaluate(parse_recipe(cell, kEvalNames), v, environment);
}

/// a <= b, with -0 below +0 because they are different codes.
inline bool not_above(double a, double b) { return a < b || (a == b && (a != 0 || std::signbit(a) || !std::signbit(b))); }

/// Whether a span contains the number.
inline bool accepts(Span span, double value) {
  if (span.any()) return true;
  if (std::isnan(value) || std::isnan(span.low)) return std::isnan(value) && std::isnan(span.low);
  return not_above(span.low, value) && not_above(value, span.high);
}

inline bool same(Span a, Span b) {
  const auto end = [](double x, double y) { return x == y || (std::isnan(x) && std::isnan(y)); };
  return end(a.low, b.low) && end(a.high, b.high);
}

}  // namespace assay::eval_cells
