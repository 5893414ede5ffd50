// Exact sums of doubles.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace assay {

/// An exact accumulator for finite doubles of magnitude 2^-600 up to 2^600: 32-bit digits held in 64-bit limbs, so that about 2^30
/// additions fit before a carry. Method: R. M. Neal, "Fast exact summation using small and large superaccumulators" (2015).
class ExactSum {
 public:
  void add(double value);

  /// The exact sum rounded down (up): the largest (smallest) double not above (below) it.
  double rounded_down() const;
  double rounded_up() const;

 private:
  static constexpr int kLowestExponent = -704;  ///< exponent of the unit of limb 0
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

}  // namespace assay
