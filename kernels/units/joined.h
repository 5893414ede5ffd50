// Units that add their products first, aligned among themselves, and then join the sum and c, cut off downward.
#pragma once

#include "kernels/units/aligned.h"

namespace assay_kernels::units {

struct Joined : Aligned {
  static constexpr int kSplits = 1;        ///< sums of their own, of k mod kSplits
  static constexpr int kFraction = 24;     ///< bits that products keep, and sums that meet after a split
  static constexpr int kSumFraction = 31;  ///< bits that the sum keeps where it meets c
  static constexpr int kCFraction = 24;    ///< bits that c keeps there
  static constexpr int kDropsC = 0;        ///< a c whose exponent is further below counts as 0; 0: none does
  static constexpr int kProductLimit = 0;  ///< a product of 2^kProductLimit and more is Inf; 0: there is no limit
  static constexpr Rounding kRounding = Rounding::kNearest;

  /// Bits below are lost in the direction of -Inf.
  SIMT_DEVICE static int64_t floored(int64_t term, int below) { return term >> (below > 62 ? 62 : below); }

  template <class U>
  SIMT_DEVICE static uint32_t element(const Number* a, const Number* b, const Number* /*sfa*/, const Number* /*sfb*/,
                                      uint32_t c) {
    uint32_t d = c;
    for (int first = 0; first < U::kK; first += U::kTake) d = joined_block<U>(a + first, b + first, d);
    return d;
  }

 private:
  struct Sum {
    int64_t steps = 0;  ///< of 2^(exponent - kFraction)
    int exponent = kNoExponent;
  };

  template <class U>
  SIMT_DEVICE static Sum sum_of(const Number* a, const Number* b, int first) {
    constexpr int kUp = U::kFraction - U::A::kMantissa - U::B::kMantissa;
    Sum sum;
    sum.exponent = U::kLeast;
    for (int k = first; k < U::kTake; k += U::kSplits)
      if (U::counts(int64_t{a[k].significand} * b[k].significand) && U::exponent(a[k], b[k]) > sum.exponent)
        sum.exponent = U::exponent(a[k], b[k]);
    for (int k = first; k < U::kTake; k += U::kSplits)
      sum.steps += U::cut(int64_t{a[k].significand} * b[k].significand * (int64_t{1} << kUp),
                          sum.exponent - a[k].exponent - b[k].exponent);
    return sum;
  }

  template <class U>
  SIMT_DEVICE static uint32_t joined_block(const Number* a, const Number* b, uint32_t c_code) {
    using D = typename U::D;
    constexpr int kProductBits = U::A::kMantissa + U::B::kMantissa;
    const Number c = number_of<D>(c_code);
    SpecialSum special;
    special.add(c);
    bool all_negative = c.negative;
    for (int k = 0; k < U::kTake; ++k) {
      special.add(a[k], b[k]);
      all_negative = all_negative && a[k].negative != b[k].negative;
      const int64_t product = int64_t{a[k].significand} * b[k].significand;
      if (U::kProductLimit == 0 || product == 0) continue;
      const int top =
          63 - __builtin_clzll(uint64_t(product < 0 ? -product : product)) - kProductBits + a[k].exponent + b[k].exponent;
      if (top >= U::kProductLimit) special.add_infinity(product < 0);
    }
    if (special.any) return special.is_nan() ? U::template nan<U>(a, b, U::kTake, c_code) : infinity<D>(special.negative);

    Sum sums[U::kSplits];
    int of_sum = kNoExponent;
    for (int s = 0; s < U::kSplits; ++s) {
      sums[s] = sum_of<U>(a, b, s);
      if (sums[s].exponent > of_sum) of_sum = sums[s].exponent;
    }
    int64_t sum = 0;
    for (const Sum& one : sums) sum += U::floored(one.steps, of_sum - one.exponent);
    const int largest = of_sum > c.exponent ? of_sum : c.exponent;
    constexpr int kSumUp = U::kSumFraction - U::kFraction;
    sum = U::floored(sum * (int64_t{1} << kSumUp), largest - of_sum);
    int64_t addend = U::floored(int64_t{c.significand} * (int64_t{1} << (U::kCFraction - D::kMantissa)), largest - c.exponent);
    if (U::kDropsC != 0 && c.exponent < largest - U::kDropsC) addend = 0;
    sum += addend * (int64_t{1} << (U::kSumFraction - U::kCFraction));
    const uint32_t code =
        rounded<D, U::kResult>(sum < 0, uint64_t(sum < 0 ? -sum : sum), largest - U::kSumFraction, U::kRounding);
    return code == 0 ? U::template zero<D>(all_negative) : code;
  }
};

}  // namespace assay_kernels::units
