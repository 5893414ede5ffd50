// Units of 4-bit codes with scales: sixteen products and their scales make one term, which the scales alone align.
#pragma once

#include "kernels/units/aligned.h"

namespace assay_kernels::units {

struct Grouped : Aligned {
  static constexpr int kGroup = 16;
  SIMT_DEVICE static bool counts(int64_t /*term*/) { return true; }

  template <class U>
  SIMT_DEVICE static uint32_t element(const Number* a, const Number* b, const Number* sfa, const Number* sfb, uint32_t c_code) {
    using D = typename U::D;
    using S = typename U::Scale;
    constexpr int kGroups = U::kK / U::kGroup, kTermBits = U::A::kMantissa + U::B::kMantissa + 2 * S::kMantissa;
    const Number c = number_of<D>(c_code);
    SpecialSum special;
    special.add(c);
    int64_t term[kGroups] = {};
    int exponent[kGroups], largest = c.exponent;
    bool all_negative = c.negative;
    for (int g = 0; g < kGroups; ++g) {
      const Number &sa = sfa[g * U::kGroup / U::kScaleBlock], &sb = sfb[g * U::kGroup / U::kScaleBlock];
      special.add(sa, sb);
      for (int k = g * U::kGroup; k < (g + 1) * U::kGroup; ++k) {
        // Exponents of factors are 0 at least: a product is a whole number of its least ones.
        term[g] += int64_t{a[k].significand} * b[k].significand * (int64_t{1} << (a[k].exponent + b[k].exponent));
        all_negative = all_negative && a[k].negative != b[k].negative;
      }
      term[g] *= int64_t{sa.significand} * sb.significand;
      exponent[g] = sa.exponent + sb.exponent;
      if (U::counts(term[g]) && exponent[g] > largest) largest = exponent[g];
    }
    if (special.any) return special.is_nan() ? U::template nan<U>(a, b, U::kK, c_code) : infinity<D>(special.negative);
    int64_t sum = U::cut(int64_t{c.significand} * (int64_t{1} << (U::kFraction - D::kMantissa)), largest - c.exponent);
    for (int g = 0; g < kGroups; ++g) sum += U::cut(term[g] * (int64_t{1} << (U::kFraction - kTermBits)), largest - exponent[g]);
    const uint32_t code = rounded<D, U::kResult>(sum < 0, uint64_t(sum < 0 ? -sum : sum), largest - U::kFraction, U::kRounding);
    return code == 0 ? U::template zero<D>(all_negative) : code;
  }
};

}  // namespace assay_kernels::units
