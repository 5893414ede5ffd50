// The loops over rows of doubles, compiled for several instruction sets with the same results. Operands lie on grids of at most
// 24 bits, so that one operation in double followed by one rounding is one rounding of the real result: products are exact,
// quotients keep away from ties (S. A. Figueroa, "When is double rounding innocuous?", 1995: 53 >= 2 * 24 + 2), and so do sums in
// f32; sums in a narrower format look at what double lost.
#pragma once

#include <cstddef>
#include <string_view>

#include "reference/recipe/recipe.h"

namespace assay {

/// A grid to round to, nearest even.
struct Grid {
  double smallest_normal, last_place, largest;
  double beyond;  ///< what a larger magnitude becomes: largest, Inf or NaN
  bool has_negative_zero;
  bool is_f32;  ///< the processor's own conversion serves
};
Grid grid_of(const Format& format, Overflow overflow);

/// One operand per element, or one for all.
struct Lane {
  const double* low;
  const double* high;  ///< equal to low when pinned
  bool scalar;
};

/// Of a clamp: what is below, above or NaN becomes these.
struct Bounds {
  double lower, upper, nan_becomes;
};

struct Lanes {
  std::string_view name;  ///< "avx512", "avx2", "scalar"
  /// v = round(v verb b); verbs: add sub mul div rdiv.
  void (*arithmetic)(Verb verb, const Grid& grid, double* v, Lane b, size_t n);
  /// v = v * a + b in f32, rounded once.
  void (*fma)(double* v, Lane a, Lane b, size_t n);
  /// As arithmetic, on intervals, by their corners.
  void (*arithmetic_spans)(Verb verb, const Grid& grid, double* low, double* high, Lane b, size_t n);
  void (*round)(const Grid& grid, double* v, size_t n);
  void (*round_spans)(const Grid& grid, double* low, double* high, size_t n);
  /// Every number within so many steps of the grid around each end; see eval.cpp.
  void (*widen_spans)(const Grid& grid, double steps, double* low, double* high, size_t n);
  void (*clamp)(double* v, Bounds bounds, size_t n);
  void (*clamp_spans)(double* low, double* high, Bounds bounds, size_t n);
};

/// The best set that this processor has; the environment variable ASSAY_ISA (avx512, avx2, scalar) asks for a lesser one. Read
/// once.
const Lanes& lanes();
/// The one that such a text in ASSAY_ISA asks for; nullptr: the best. Throws std::runtime_error if this processor lacks it.
const Lanes& lanes_asked_for(const char* name);
const Lanes* lanes_named(std::string_view name);  ///< nullptr if this processor lacks it

}  // namespace assay
