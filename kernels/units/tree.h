// Units that add in a tree of neighbours, every addition rounded to f32 and subnormal numbers taken for zero; and units of
// integers.
#pragma once

#include "kernels/units/aligned.h"

namespace assay_kernels::units {

struct Tree : Aligned {
  /// Below the least normal number nothing is left, and its sign stays.
  template <class F>
  SIMT_DEVICE static uint32_t flushed(uint32_t code) {
    const Number x = number_of<F>(code);
    const bool subnormal = x.kind == Number::kFinite && x.significand > -(1 << F::kMantissa) && x.significand < 1 << F::kMantissa;
    return subnormal ? code & F::kSign : code;
  }
  SIMT_DEVICE static Number normal(Number x, int mantissa) {
    if (x.kind == Number::kFinite && x.significand > -(1 << mantissa) && x.significand < 1 << mantissa) x.significand = 0;
    return x;
  }

  template <class U>
  SIMT_DEVICE static uint32_t element(const Number* a, const Number* b, const Number* /*sfa*/, const Number* /*sfb*/,
                                      uint32_t c) {
    using D = typename U::D;
    uint32_t d = (U::template flush<D>(c) & (D::kSign - 1)) == 0 ? 0u : c;
    for (int first = 0; first < U::kK; first += U::kTake) {
      uint32_t sums[U::kTake];
      for (int i = 0; i < U::kTake; ++i)
        sums[i] = product<U>(U::normal_factor(a[first + i], U::A::kMantissa), U::normal_factor(b[first + i], U::B::kMantissa));
      for (int count = U::kTake; count > 1; count /= 2)
        for (int i = 0; i < count / 2; ++i) sums[i] = U::template flush<D>(added<D>(sums[2 * i], sums[2 * i + 1]));
      d = U::template flush<D>(added<D>(d, sums[0]));
    }
    return number_of<D>(d).kind == Number::kNan ? U::template nan<U>(a, b, U::kK, c) : d;
  }

  template <class F>
  SIMT_DEVICE static uint32_t flush(uint32_t code) {
    return flushed<F>(code);
  }
  SIMT_DEVICE static Number normal_factor(Number x, int mantissa) { return normal(x, mantissa); }

 private:
  template <class U>
  SIMT_DEVICE static uint32_t product(const Number& a, const Number& b) {
    using D = typename U::D;
    SpecialSum special;
    special.add(a, b);
    if (special.any) return special.is_nan() ? infinity<D>(false) | 1u : infinity<D>(special.negative);
    const int64_t exact = int64_t{a.significand} * b.significand;
    const uint32_t code = rounded<D>(exact < 0, uint64_t(exact < 0 ? -exact : exact),
                                     a.exponent + b.exponent - U::A::kMantissa - U::B::kMantissa, Rounding::kNearest);
    return U::template flush<D>(exact < 0 ? code | D::kSign : code);
  }
};

/// Exact, modulo 2^32.
struct Integers : Aligned {
  template <class U>
  SIMT_DEVICE static uint32_t element(const Number* a, const Number* b, const Number* /*sfa*/, const Number* /*sfb*/,
                                      uint32_t c) {
    uint32_t sum = c;
    for (int k = 0; k < U::kK; ++k) sum += uint32_t(a[k].significand * b[k].significand);
    return sum;
  }
};

}  // namespace assay_kernels::units
