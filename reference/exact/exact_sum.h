// Sums without rounding, and correctly rounded functions.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "reference/formats/format.h"

namespace assay {

// Sums of doubles without rounding.

/// An exact sum of doubles whose magnitudes are 0 or 2^-600 to 2^600. A 64-bit limb holds a 32-bit digit, so about 2^30 numbers
/// fit before a limb overflows. Method: R. M. Neal, "Fast exact summation using small and large superaccumulators" (2015).
class ExactSum {
 public:
  void add(double value);

  /// The exact sum rounded down (up) to a double.
  double rounded_down() const;
  double rounded_up() const;

 private:
  static constexpr int kLowestExponent = -704;  ///< exponent of the lowest bit of limb 0
  static constexpr int kLimbs = 44;
  double rounded(bool up) const;
  std::array<int64_t, kLimbs> limbs_{};
};

/// Exact sum of the squares of values with at most 24 significand bits, given by the doubles below and above it (equal if the
/// sum is a double). Squares are exact in double. If a value is NaN: {NaN, NaN}; otherwise, if one is Inf: {Inf, Inf}.
struct SumBounds {
  double low, high;
};
SumBounds exact_sum_of_squares(std::span<const double> values);

// Elementary functions, correctly rounded. A double approximation is enough if its error bound decides the rounding. Otherwise
// MPFR is used.

enum class Function { kExp, kExp2, kLog2, kRsqrt, kSqrt, kTanh, kErf };

/// function(x), rounded to nearest even in `format` (at most 24 significand bits). As in IEEE 754-2019 section 9.2, x outside the
/// domain gives NaN, and a pole gives Inf.
double correctly_rounded(Function function, double x, const Format& format);

/// correctly_rounded(), computed by MPFR alone: slow and independent, for tests.
double correctly_rounded_by_mpfr(Function function, double x, const Format& format);

}  // namespace assay
