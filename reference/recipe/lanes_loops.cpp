// The loops over rows of doubles, compiled once for each instruction set. ASSAY_TABLE and ASSAY_TABLE_NAME name that set's
// table of functions. Everything else has internal linkage. If the linker merged inline functions of these builds, a processor
// could run instructions that it lacks.
#include "reference/formats/round.h"
#include "reference/recipe/lanes.h"

namespace assay {
namespace {

struct RoundF32 {
  explicit RoundF32(const Grid&) {}
  double operator()(double x) const { return double(float(x)); }
  double sum(double v, double b) const { return double(float(v + b)); }
};

struct RoundGrid {
  explicit RoundGrid(const Grid& grid) : g(grid) {}
  double operator()(double x) const {
    return in_range(x, whole_steps(x, step_at(x)));
  }

  /// v + b rounded once, even if the sum is not a double: its rounding error `lost` decides a tie (T. J. Dekker's two-sum is
  /// exact). The sum of two 24-bit numbers can lie so close to a tie of a 16-bit format that `lost` matters, but never so close
  /// to one of f32.
  double sum(double v, double b) const {
    const double x = v + b, b_part = x - v, lost = (v - (x - b_part)) + (b - b_part);
    const double step = step_at(x), steps = whole_steps(x, step), beside = x - steps;
    const double nudge = (lost > 0) & (beside == step / 2) ? step : (lost < 0) & (beside == -step / 2) ? -step : 0.0;
    return in_range(x, steps + nudge);
  }

 private:
  double step_at(double x) const { return quantum(x, g.smallest_normal, g.last_place); }
  /// Rounds to a multiple of `step`, to nearest even: next to 1.5 * 2^52 steps, a double has no bits for fractions of a step.
  static double whole_steps(double x, double step) {
    const double shifter = step * 0x1.8p52;
    return (x + shifter) - shifter;
  }
  double in_range(double x, double rounded) const {
    double r = __builtin_fabs(rounded);
    r = __builtin_fabs(x) > 0x1p1000 ? g.beyond : r;  // for Inf, whole_steps() gives NaN
    r = r > g.largest ? g.beyond : r;
    const double with_sign = __builtin_copysign(r, x);
    r = (r == 0 && !g.has_negative_zero) ? 0.0 : with_sign;
    return x != x ? x : r;
  }
  const Grid g;
};

struct Ends {
  double low, high;
};

/// The ends of two intervals.
struct Pair {
  double x0, x1, y0, y1;
};
inline bool holds_zero_inside(double low, double high) { return (low < 0) & (high > 0); }
inline bool is_infinite(double x) { return __builtin_fabs(x) > 0x1.fffffffffffffp1023; }

/// The smaller and the larger of two numbers, where -0 counts as less than +0. A sum of two zeros is +0 unless both are -0. So
/// for equal numbers, half their sum is used. Grids are at most f32, so this sum does not overflow.
inline double lesser(double a, double b) {
  const double of_equals = -(-a - b) / 2, other = a < b ? a : b;
  return a == b ? of_equals : other;
}
inline double greater(double a, double b) {
  const double of_equals = (a + b) / 2, other = a > b ? a : b;
  return a == b ? of_equals : other;
}

/// If a divisor's interval contains zero and other values, the quotient is unbounded. If the divisor is zero, a zero inside the
/// dividend's interval gives NaN, which quotients of the ends do not show.
inline bool quotient_breaks(double a0, double a1, double b0, double b1) {
  return ((b0 <= 0) & (b1 >= 0) & (b0 != b1)) | ((b0 == 0) & (b1 == 0) & holds_zero_inside(a0, a1));
}

/// The operations. breaks(): true if some pair of values inside the intervals gives a pole or NaN, which their ends do not show.
struct Add {
  template <class Round>
  double operator()(Round round, double v, double b) const { return round.sum(v, b); }
  static bool breaks(Pair) { return false; }
};
struct Sub {
  template <class Round>
  double operator()(Round round, double v, double b) const { return round.sum(v, -b); }
  static bool breaks(Pair) { return false; }
};
struct Mul {
  template <class Round>
  double operator()(Round round, double v, double b) const { return round(v * b); }
  static bool breaks(Pair p) {
    return (holds_zero_inside(p.x0, p.x1) & (is_infinite(p.y0) | is_infinite(p.y1))) |
           (holds_zero_inside(p.y0, p.y1) & (is_infinite(p.x0) | is_infinite(p.x1)));
  }
};
struct Div {
  template <class Round>
  double operator()(Round round, double v, double b) const { return round(v / b); }
  static bool breaks(Pair p) { return quotient_breaks(p.x0, p.x1, p.y0, p.y1); }
};
struct Rdiv {
  template <class Round>
  double operator()(Round round, double v, double b) const { return round(b / v); }
  static bool breaks(Pair p) { return quotient_breaks(p.y0, p.y1, p.x0, p.x1); }
};

template <class Op, class Round>
void loop(Op op, Round round, double* v, Lane b, size_t n) {
  if (b.scalar) {
    const double s = *b.low;
    for (size_t i = 0; i < n; ++i) v[i] = op(round, v[i], s);
  } else {
    for (size_t i = 0; i < n; ++i) v[i] = op(round, v[i], b.low[i]);
  }
}

/// The interval of four results, one for each pair of ends. NaN if all are NaN; `any` if only some are, or if the operation
/// breaks inside.
template <class Op, class Round>
__attribute__((always_inline)) inline Ends from_corners(Op op, Round round, Pair p) {
  const double c0 = op(round, p.x0, p.y0), c1 = op(round, p.x0, p.y1);
  const double c2 = op(round, p.x1, p.y0), c3 = op(round, p.x1, p.y1);
  const double least = lesser(lesser(c0, c1), lesser(c2, c3)), most = greater(greater(c0, c1), greater(c2, c3));
  const bool corner_nan = (c0 != c0) | (c1 != c1) | (c2 != c2) | (c3 != c3);
  const bool nan_operand = ((p.x0 != p.x0) & (p.x1 != p.x1)) | ((p.y0 != p.y0) & (p.y1 != p.y1));
  const bool nan = nan_operand | ((c0 != c0) & (p.x0 == p.x1) & (p.y0 == p.y1));
  const bool any = (!nan) & (corner_nan | Op::breaks(p));
  return {any | nan ? __builtin_nan("") : least, any ? __builtin_inf() : nan ? __builtin_nan("") : most};
}

template <class Op, class Round>
void loop_spans(Op op, Round round, double* __restrict low, double* __restrict high, Lane b, size_t n) {
  if (b.scalar) {
    const double y0 = *b.low, y1 = *b.high;
    for (size_t i = 0; i < n; ++i) {
      const Ends ends = from_corners(op, round, {low[i], high[i], y0, y1});
      low[i] = ends.low, high[i] = ends.high;
    }
  } else {
    const double *y0 = b.low, *y1 = b.high;
    for (size_t i = 0; i < n; ++i) {
      const Ends ends = from_corners(op, round, {low[i], high[i], y0[i], y1[i]});
      low[i] = ends.low, high[i] = ends.high;
    }
  }
}

/// IEEE 754-2019, 5.4.1, fusedMultiplyAdd: with f32 operands there is no double rounding.
void fma_all(double* v, Lane a, Lane b, size_t n) {
  const size_t of_a = a.scalar ? 0 : 1, of_b = b.scalar ? 0 : 1;
  for (size_t i = 0; i < n; ++i) v[i] = double(__builtin_fmaf(float(v[i]), float(a.low[i * of_a]), float(b.low[i * of_b])));
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
    case Verb::kAdd: return loop_spans(Add{}, round, low, high, b, n);
    case Verb::kSub: return loop_spans(Sub{}, round, low, high, b, n);
    case Verb::kMul: return loop_spans(Mul{}, round, low, high, b, n);
    case Verb::kDiv: return loop_spans(Div{}, round, low, high, b, n);
    case Verb::kRdiv: return loop_spans(Rdiv{}, round, low, high, b, n);
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

template <class Round>
void round_rounded(Round round, double* v, size_t n) {
  for (size_t i = 0; i < n; ++i) v[i] = round(v[i]);
}

/// Rounds both ends. If exactly one end overflows to NaN, the result is `any`.
template <class Round>
void round_spans_rounded(Round round, double* low, double* high, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    const double x0 = low[i], x1 = high[i], r0 = round(x0), r1 = round(x1);
    const bool was_any = (x0 != x0) != (x1 != x1), one_nan = (r0 != r0) != (r1 != r1);
    const bool any = was_any | one_nan | (((r0 != r0) | (r1 != r1)) & holds_zero_inside(x0, x1));
    low[i] = any ? __builtin_nan("") : r0;
    high[i] = any ? __builtin_inf() : r1;
  }
}

void round_all(const Grid& grid, double* v, size_t n) {
  if (grid.is_f32) round_rounded(RoundF32(grid), v, n);
  else round_rounded(RoundGrid(grid), v, n);
}

void round_spans(const Grid& grid, double* low, double* high, size_t n) {
  if (grid.is_f32) round_spans_rounded(RoundF32(grid), low, high, n);
  else round_spans_rounded(RoundGrid(grid), low, high, n);
}

inline double clamped(double x, Bounds bounds) {
  const double inside = x < bounds.lower ? bounds.lower : x > bounds.upper ? bounds.upper : x;
  return x != x ? bounds.nan_becomes : inside;
}

void clamp_all(double* v, Bounds bounds, size_t n) {
  for (size_t i = 0; i < n; ++i) v[i] = clamped(v[i], bounds);
}

/// `any` becomes the whole range between the bounds, except if NaN is kept: then it stays `any`.
void clamp_spans(double* low, double* high, Bounds bounds, size_t n) {
  const bool keeps_nan = bounds.nan_becomes != bounds.nan_becomes;
  const double any_low = keeps_nan ? __builtin_nan("") : bounds.lower, any_high = keeps_nan ? __builtin_inf() : bounds.upper;
  for (size_t i = 0; i < n; ++i) {
    const double x0 = low[i], x1 = high[i];
    const bool any = (x0 != x0) != (x1 != x1);
    low[i] = any ? any_low : clamped(x0, bounds);
    high[i] = any ? any_high : clamped(x1, bounds);
  }
}

/// Moves a positive number away from zero by `steps` grid values, then up to a grid value if they lie farther apart there.
inline double outward(const Grid& g, double magnitude, double steps) {
  const double moved = magnitude + steps * quantum(magnitude, g.smallest_normal, g.last_place);
  const double step = quantum(moved, g.smallest_normal, g.last_place), on_grid = __builtin_ceil(moved / step) * step;
  return on_grid > g.largest ? g.beyond : on_grid;
}

/// Moves a positive number toward zero by `steps` grid values, but not above the result for the next power of two. There the
/// distance of grid values doubles, and a larger number must not get a smaller bound.
inline double inward(const Grid& g, double magnitude, double steps) {
  const double power = 2 * quantum(magnitude, 0, 1);
  const double own = magnitude - steps * quantum(magnitude, g.smallest_normal, g.last_place);
  const double of_power = power - steps * quantum(power, g.smallest_normal, g.last_place);
  const double least = own < of_power ? own : of_power;
  return least > 0 ? least : 0.0;
}

void widen_spans(const Grid& grid, double steps, double* __restrict low, double* __restrict high, size_t n) {
  const Grid g = grid;
  for (size_t i = 0; i < n; ++i) {
    const double x0 = low[i], x1 = high[i], m0 = __builtin_fabs(x0), m1 = __builtin_fabs(x1);
    const double down = x0 > 0 ? inward(g, m0, steps) : -outward(g, m0, steps);
    const double up = x1 > 0 ? outward(g, m1, steps) : -inward(g, m1, steps);
    const bool nan = (x0 != x0) | (x1 != x1);
    low[i] = nan | (x0 == 0) | is_infinite(x0) ? x0 : down;
    high[i] = nan | (x1 == 0) | is_infinite(x1) ? x1 : up;
  }
}

}  // namespace

extern const Lanes ASSAY_TABLE;
const Lanes ASSAY_TABLE{ASSAY_TABLE_NAME, arithmetic,  fma_all,   arithmetic_spans, round_all,
                        round_spans,      widen_spans, clamp_all, clamp_spans};

}  // namespace assay
