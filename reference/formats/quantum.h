// Besides decode and encode, the only place that manipulates bits of doubles: the step of a format's grid, and powers of two.
#pragma once

#include <cstdint>
#include <cstring>

namespace assay {

/// Distance between neighbouring grid numbers around x: 2^(max(exponent(x), min_exponent) - mantissa_bits), given as the two
/// powers of two. Exact for every finite normal double; a subnormal double is below every grid used here. Always inlined: it is
/// compiled for several instruction sets and must never be merged across them.
__attribute__((always_inline)) static inline double quantum(double x, double smallest_normal, double last_place) {
  uint64_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  bits &= 0x7ff0000000000000u;  // keeps the exponent: 2^floor(log2 |x|)
  double power;
  std::memcpy(&power, &bits, sizeof power);
  return (power > smallest_normal ? power : smallest_normal) * last_place;
}

/// floor(log2 |x|) of a normal double. Always inlined, as above.
__attribute__((always_inline)) static inline int binade_of(double x) {
  uint64_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return int(bits >> 52 & 0x7ff) - 1023;
}

/// 2^exponent within the range of normal doubles. Always inlined, as above.
__attribute__((always_inline)) static inline double power_of(int64_t exponent) {
  const int64_t bits = (exponent + 1023) << 52;
  double power;
  std::memcpy(&power, &bits, sizeof power);
  return power;
}

}  // namespace assay
