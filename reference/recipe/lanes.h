// Loops over rows of doubles, compiled for several instruction sets with identical results. Operands have at most 24 significand
// bits, so one operation in double and one rounding give the correctly rounded result: products are exact. Quotients never lie so
// close to a tie that rounding to double moves them onto it (S. A. Figueroa, "When is double rounding innocuous?", 1995: 53 >= 2
// * 24 + 2). The same holds for sums in f32. For sums in a narrower format, the loops correct the double's rounding error.
#pragma once

#include <cstddef>
#include <string_view>

#include "reference/recipe/recipe.h"

namespace assay {

/// A format as the loops need it: 2^min_exponent, 2^-mantissa_bits, the largest finite value. The loops round to nearest even.
struct Grid {
  double smallest_normal, last_place, largest;
  double beyond;  ///< result for magnitudes above `largest`: `largest`, Inf or NaN
  bool has_negative_zero;
  bool is_f32;  ///< use the processor's float conversion
};
Grid grid_of(const Format& format, Overflow overflow);

/// One operand per element, or one for all.
struct Lane {
  const double* low;
  const double* high;  ///< equal to `low` if the values are exact
  bool scalar;
};

/// What a clamp returns for values below `lower`, for values above `upper`, and for NaN.
struct Bounds {
  double lower, upper, nan_becomes;
};

struct Lanes {
  std::string_view name;  ///< "avx512", "avx2", "scalar"
  /// v = round(v OP b), where OP is one of add, sub, mul, div and rdiv (b / v).
  void (*arithmetic)(Verb verb, const Grid& grid, double* v, Lane b, size_t n);
  /// v = v * a + b in f32, rounded once.
  void (*fma)(double* v, Lane a, Lane b, size_t n);
  /// arithmetic() on intervals: evaluates the four pairs of an end of v and an end of b.
  void (*arithmetic_spans)(Verb verb, const Grid& grid, double* low, double* high, Lane b, size_t n);
  void (*round)(const Grid& grid, double* v, size_t n);
  void (*round_spans)(const Grid& grid, double* low, double* high, size_t n);
  /// Moves both ends outward by `steps` values of the grid; see widen() in eval.h.
  void (*widen_spans)(const Grid& grid, double steps, double* low, double* high, size_t n);
  void (*clamp)(double* v, Bounds bounds, size_t n);
  void (*clamp_spans)(double* low, double* high, Bounds bounds, size_t n);
};

/// The best implementation for this processor. The environment variable ASSAY_ISA (avx512, avx2, scalar) selects a lesser one; it
/// is read once.
const Lanes& lanes();
/// The implementation named by ASSAY_ISA; nullptr: the best one. Throws std::runtime_error if this processor lacks it.
const Lanes& lanes_asked_for(const char* name);
const Lanes* lanes_named(std::string_view name);  ///< nullptr if this processor lacks it

}  // namespace assay
