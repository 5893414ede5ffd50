// Sums without rounding, and functions that are correctly rounded.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "reference/formats/format.h"

namespace assay {

// Sums of doubles without rounding.

/// An exact accumulator for finite doubles of magnitude 2^-600 up to 2^600: 32-bit digits held in 64-bit limbs, so that about
/// 2^30 additions fit before a carry. Method: R. M. Neal, "Fast exact summation using small and large superaccumulators" (2015).
class ExactSum {
 public:
  void add(double value);

  /// The exact sum rounded down (up): the largest (smallest) double not above (below) it.
  double rounded_down() const;
  double rounded_up() const;

 private:
  static constexpr int kLowestExponent = -704;  ///< exponent of the lowest bit of limb 0
  static constexpr int kLimbs = 44;
  double rounded(bool up) const;
  std::array<int64_t, kLimbs> limbs_{};
};

/// Exact sum of the squares of values with at most 24 significand bits, as the two neighbouring doubles (equal if the sum is a
/// double). Squares are exact in double. If a value is not finite: {NaN, NaN} for NaN, otherwise {Inf, Inf}.
struct SumBounds {
  double low, high;
};
SumBounds exact_sum_of_squares(std::span<const double> values);

// Transcendental functions, correctly rounded. A double approximation suffices if its error bound decides the rounding; otherwise
// MPFR is used.

enum class Function { kExp, kExp2, kLog2, kRsqrt, kSqrt, kTanh, kErf };

/// Nearest-even value of `format` (at most 24 bits of precision) to function(x). Domain errors give NaN, poles give Inf,
/// as in IEEE 754-2019 section 9.2.
double correctly_rounded(Function function, double x, const Format& format);

/// The same computed only with MPFR: slow and independent, for tests.
double correctly_rounded_by_mpfr(Function function, double x, const Format& format);

}  // namespace assay
