// Rounding to a format, and the codes of numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

#include "reference/formats/format.h"

namespace assay {

// Rounding a real number to a format: a grid, a rounding rule, and an overflow rule.

enum class Rounding { kNearestEven, kNearestAway, kTowardZero, kDown, kUp };

enum class Overflow {
  kSaturate,  ///< the largest finite value, also for Inf
  kSpecial    ///< Inf where the format has one, else NaN
};

/// The rounded value. NaN stays NaN. A format without -0 gives +0. Source: IEEE 754-2019 section 4.3; saturation as in OCP OFP8
/// v1.0, section 5.
double round_to(const Format& format, double value, Rounding rounding, Overflow overflow);

/// The next larger (smaller) value of the format; Inf at the end, or the largest value if there is no Inf.
double next_up(const Format& format, double value);
double next_down(const Format& format, double value);

// Besides decode and encode, the only place that manipulates bits of doubles: the step of a format's grid, and powers of two.

/// Distance between adjacent grid values around x: 2^(max(exponent(x), min_exponent) - mantissa_bits), given as the two powers of
/// two. Exact for every finite normal double; a subnormal double is below every grid used here. Always inlined: it is compiled
/// for several instruction sets and must never be merged across them.
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

// Conversions of arrays between codes, values and ordinals.

/// Values of densely packed codes. `codes` holds values.size() elements of the format.
void decode_all(const Format& format, const std::byte* codes, std::span<double> values);

/// Ordinals of values on the format's grid; NaN gives kNanOrdinal. Both spans have the same size.
void ordinals_of_values(const Format& format, std::span<const double> values, std::span<int32_t> ordinals);

}  // namespace assay
