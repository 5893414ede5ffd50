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

// Rounding a real number to a format needs three choices: the format, a rounding mode, and what happens on overflow.

enum class Rounding { kNearestEven, kNearestAway, kTowardZero, kDown, kUp };

enum class Overflow {
  kSaturate,  ///< the largest finite value, also for Inf
  kSpecial    ///< Inf where the format has one, else NaN
};

/// The rounded value. NaN stays NaN. A format without -0 gives +0. Source: IEEE 754-2019 section 4.3; saturation as in OCP OFP8
/// v1.0, section 5.
double round_to(const Format& format, double value, Rounding rounding, Overflow overflow);

/// The next larger (smaller) value of the format. Past the largest value: Inf, or the largest value if there is no Inf.
double next_up(const Format& format, double value);
double next_down(const Format& format, double value);

// The distance of neighbouring values, and powers of two. Like decoding and encoding, these functions manipulate bits of doubles.

/// Distance of neighbouring values of a format around x: 2^(max(exponent(x), min_exponent) - mantissa_bits). `smallest_normal` is
/// 2^min_exponent, `last_place` 2^-mantissa_bits. Exact for every normal double and 0; a subnormal double counts as 0. Always
/// inlined: copies compiled for different instruction sets must never be merged by the linker.
__attribute__((always_inline)) static inline double quantum(double x, double smallest_normal, double last_place) {
  uint64_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  bits &= 0x7ff0000000000000u;  // keeps the exponent: 2^floor(log2 |x|)
  double power;
  std::memcpy(&power, &bits, sizeof power);
  return (power > smallest_normal ? power : smallest_normal) * last_place;
}

/// floor(log2 |x|) of a normal double. Always inlined for the same reason.
__attribute__((always_inline)) static inline int binade_of(double x) {
  uint64_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return int(bits >> 52 & 0x7ff) - 1023;
}

/// 2^exponent, if it is a normal double. Always inlined for the same reason.
__attribute__((always_inline)) static inline double power_of(int64_t exponent) {
  const int64_t bits = (exponent + 1023) << 52;
  double power;
  std::memcpy(&power, &bits, sizeof power);
  return power;
}

// Conversions of arrays between codes, values and ordinals.

/// Values of densely packed codes. `codes` holds values.size() elements of the format.
void decode_all(const Format& format, const std::byte* codes, std::span<double> values);

/// Ordinals of values of the format; NaN gives kNanOrdinal. Both spans have the same size.
void ordinals_of_values(const Format& format, std::span<const double> values, std::span<int32_t> ordinals);

}  // namespace assay
