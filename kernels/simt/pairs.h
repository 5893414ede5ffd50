// Two 16-bit elements packed into a 32-bit word, the first in the low half. Vendor headers include this file after their
// conversions; vendors with packed instructions specialize these templates.
#pragma once

namespace simt {

template <class T>
SIMT_DEVICE void pair_to_floats(uint32_t pair, float& low, float& high) {
  low = to_float(T{uint16_t(pair)});
  high = to_float(T{uint16_t(pair >> 16)});
}

template <class T>
SIMT_DEVICE uint32_t pair_from_floats(float low, float high) {
  T a, b;
  from_floats(low, high, a, b);
  return uint32_t{a.bits} | uint32_t{b.bits} << 16;
}

/// Two products, each rounded once to T: a product of two mantissas of at most 11 bits is exact in fp32.
template <class T>
SIMT_DEVICE uint32_t multiply_pairs(uint32_t a, uint32_t b) {
  float a0, a1, b0, b1;
  pair_to_floats<T>(a, a0, a1);
  pair_to_floats<T>(b, b0, b1);
  return pair_from_floats<T>(a0 * b0, a1 * b1);
}

/// In each half, the larger of the two magnitudes; NaN only if both are NaN.
template <class T>
SIMT_DEVICE uint32_t widest_pairs(uint32_t a, uint32_t b) {
  float a0, a1, b0, b1;
  pair_to_floats<T>(a, a0, a1);
  pair_to_floats<T>(b, b0, b1);
  return pair_from_floats<T>(max_number(magnitude(a0), magnitude(b0)), max_number(magnitude(a1), magnitude(b1)));
}

}  // namespace simt
