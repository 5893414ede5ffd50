// Included by lanes_<isa>.cpp only, each compiled with other flags. Everything has internal linkage, so that no instruction of one
// set can reach a machine that lacks it through a merged inline function.
#include <cstring>

#include "reference/formats/quantum.h"
#include "reference/recipe/lanes.h"

namespace assay {
namespace {

struct RoundF32 {
  explicit RoundF32(const Grid&) {}
  double operator()(double x) const { return double(float(x)); }
};

struct RoundGrid {
  explicit RoundGrid(const Grid& grid) : g(grid) {}
  double operator()(double x) const {
    // Adding 1.5 * 2^52 steps leaves no room for a fraction of a step: the processor's own rounding to nearest even does the work.
    const double shifter = quantum(x, g.smallest_normal, g.last_place) * 0x1.8p52;
    double r = __builtin_fabs((x + shifter) - shifter);
    const double magnitude = __builtin_fabs(x);
    r = magnitude > 0x1p1000 ? g.beyond : r;  // Inf: the shifter is no number
    r = r > g.largest ? g.beyond : r;
    const double with_sign = __builtin_copysign(r, x);
    r = (r == 0 && !g.has_negative_zero) ? 0.0 : with_sign;
    return x != x ? x : r;
  }
  const Grid g;
};

struct Add { double operator()(double v, double b) const { return v + b; } };
struct Sub { double operator()(double v, double b) const { return v - b; } };
struct Mul { double operator()(double v, double b) const { return v * b; } };
struct Div { double operator()(double v, double b) const { return v / b; } };
struct Rdiv { double operator()(double v, double b) const { return b / v; } };

template <class Op, class Round>
void loop(Op op, Round round, double* v, Lane b, size_t n) {
  if (b.scalar) {
    const double s = *b.low;
    for (size_t i = 0; i < n; ++i) v[i] = round(op(v[i], s));
  } else {
    for (size_t i = 0; i < n; ++i) v[i] = round(op(v[i], b.low[i]));
  }
}

/// An interval from the four corners. All NaN: that NaN. Some NaN, or a divisor that may be zero or not: `any`.
template <class Op, class Round>
void loop_spans(Op op, Round round, bool divides_by_v, bool divides_by_b, double* low, double* high, Lane b, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    const size_t j = b.scalar ? 0 : i;
    const double x0 = low[i], x1 = high[i], y0 = b.low[j], y1 = b.high[j];
    const double c0 = round(op(x0, y0)), c1 = round(op(x0, y1)), c2 = round(op(x1, y0)), c3 = round(op(x1, y1));
    const double a = c0 < c1 ? c0 : c1, d = c2 < c3 ? c2 : c3;
    const double e = c0 > c1 ? c0 : c1, f = c2 > c3 ? c2 : c3;
    const double least = a < d ? a : d, most = e > f ? e : f;
    const bool some_nan = c0 != c0 || c1 != c1 || c2 != c2 || c3 != c3;
    const bool all_nan = c0 != c0 && c1 != c1 && c2 != c2 && c3 != c3;
    const double d0 = divides_by_v ? x0 : y0, d1 = divides_by_v ? x1 : y1;
    const bool pole = (divides_by_v || divides_by_b) && d0 <= 0 && d1 >= 0 && d0 != d1;
    const bool any = pole || (some_nan && !all_nan);
    low[i] = any || all_nan ? __builtin_nan("") : least;
    high[i] = any ? __builtin_inf() : all_nan ? __builtin_nan("") : most;
  }
}

template <class Round>
void arithmetic_rounded(Verb verb, Round round, double* v, Lane b, size_t n) {
  switch (verb) {
    case Verb::kAdd: return loop(Add{}, round, v, b, n);
    case Verb::kSub: return loop(Sub{}, round, v, b, n);
    case Verb::kMul: return loop(Mul{}, round, v, b, n);
    case Verb::kDiv: return loop(Div{}, round, v, b, n);
    case Verb::kRdiv: return loop(Rdiv{}, round, v, b, n);
    default: __builtin_trap();
  }
}

template <class Round>
void arithmetic_spans_rounded(Verb verb, Round round, double* low, double* high, Lane b, size_t n) {
  switch (verb) {
    case Verb::kAdd: return loop_spans(Add{}, round, false, false, low, high, b, n);
    case Verb::kSub: return loop_spans(Sub{}, round, false, false, low, high, b, n);
    case Verb::kMul: return loop_spans(Mul{}, round, false, false, low, high, b, n);
    case Verb::kDiv: return loop_spans(Div{}, round, false, true, low, high, b, n);
    case Verb::kRdiv: return loop_spans(Rdiv{}, round, true, false, low, high, b, n);
    default: __builtin_trap();
  }
}

void arithmetic(Verb verb, const Grid& grid, double* v, Lane b, size_t n) {
  if (grid.is_f32) arithmetic_rounded(verb, RoundF32(grid), v, b, n);
  else arithmetic_rounded(verb, RoundGrid(grid), v, b, n);
}

void arithmetic_spans(Verb verb, const Grid& grid, double* low, double* high, Lane b, size_t n) {
  if (grid.is_f32) arithmetic_spans_rounded(verb, RoundF32(grid), low, high, b, n);
  else arithmetic_spans_rounded(verb, RoundGrid(grid), low, high, b, n);
}

void round_all(const Grid& grid, double* v, size_t n) {
  if (grid.is_f32) {
    const RoundF32 round(grid);
    for (size_t i = 0; i < n; ++i) v[i] = round(v[i]);
  } else {
    const RoundGrid round(grid);
    for (size_t i = 0; i < n; ++i) v[i] = round(v[i]);
  }
}

void clamp_all(double* v, double lower, double upper, double nan_becomes, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    const double x = v[i];
    const double inside = x < lower ? lower : x > upper ? upper : x;
    v[i] = x != x ? nan_becomes : inside;
  }
}

}  // namespace
}  // namespace assay
