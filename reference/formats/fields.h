// Bit fields of codes and doubles, for loops over many numbers. Files compiled for different instruction sets include these
// functions. They are always inlined, because the linker must not merge copies of different instruction sets.
#pragma once

#include <cstdint>
#include <cstring>

#include "reference/formats/format.h"

namespace assay {

/// A finite number is significand * 2^(exponent - mantissa_bits). Subnormals and zeros have the exponent of the smallest normal
/// number.
struct Fields {
  int32_t significand;  ///< includes the sign
  int32_t exponent;
  bool finite;
};

/// Fields of a floating-point code; bits above the format's width are ignored.
__attribute__((always_inline)) static inline Fields fields_of(const Format& f, uint32_t code) {
  const uint32_t mantissa_mask = (1u << f.mantissa_bits) - 1, exponent_mask = (1u << f.exponent_bits) - 1;
  const uint32_t mantissa = code & mantissa_mask, field = (code >> f.mantissa_bits) & exponent_mask;
  const bool negative = f.has_sign() && ((code >> (f.bits - 1)) & 1) != 0;
  bool finite = true;
  switch (f.specials) {
    case Specials::kIeee:
      finite = field != exponent_mask;
      break;
    case Specials::kFn:
    case Specials::kUnsigned:
      finite = field != exponent_mask || mantissa != mantissa_mask;
      break;
    case Specials::kFnuz:
      finite = !(negative && field == 0 && mantissa == 0);
      break;
    case Specials::kScale:
      return {1, int32_t(field) - f.bias, field != exponent_mask};
    case Specials::kFinite:
    case Specials::kInteger:
    case Specials::kBits:
      break;
  }
  const auto magnitude = int32_t(field == 0 ? mantissa : mantissa | (1u << f.mantissa_bits));
  return {negative ? -magnitude : magnitude, int32_t(field == 0 ? 1 : field) - f.bias, finite};
}

/// 2^exponent, if -1022 <= exponent <= 1023.
__attribute__((always_inline)) static inline double two_to(int32_t exponent) {
  const uint64_t bits = uint64_t(uint32_t(exponent + 1023)) << 52;
  double power;
  std::memcpy(&power, &bits, sizeof power);
  return power;
}

// Functions for vectors: each lane holds one number.

/// floor(log2 |x|) of normal floats; -127 for subnormals and zeros.
template <class Integers, class Floats>
__attribute__((always_inline)) static inline Integers exponents_of(Floats x) {
  return (((Integers)x >> 23) & 0xff) - 127;
}

/// Truncates floats to `fraction_bits` bits after the leading bit. Subnormals lose the same low bits of their mantissa.
template <class Integers, class Floats>
__attribute__((always_inline)) static inline Floats truncated(Floats x, int fraction_bits) {
  return (Floats)((Integers)x & -(1 << (23 - fraction_bits)));
}

/// 2^exponent for each 64-bit integer of a vector, as a double.
template <class Doubles, class Integers>
__attribute__((always_inline)) static inline Doubles powers_of_two(Integers exponents) {
  return (Doubles)((exponents + 1023) << 52);
}

/// quantum() of round.h for each lane.
template <class Integers, class Doubles>
__attribute__((always_inline)) static inline Doubles quanta(Doubles x, double smallest_normal, double last_place) {
  const Doubles power = (Doubles)((Integers)x & 0x7ff0000000000000);
  return (power > smallest_normal ? power : Doubles{} + smallest_normal) * last_place;
}

}  // namespace assay
