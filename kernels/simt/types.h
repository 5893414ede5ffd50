// Element types and bit patterns, the same for every vendor. Included by the vendor headers, after SIMT_DEVICE is defined.
#pragma once

#include <cstdint>
#include <cstring>

namespace simt {

struct Bf16 {
  uint16_t bits;
};

struct F16 {
  uint16_t bits;
};

SIMT_DEVICE uint32_t bits(float value) {
  uint32_t b;
  memcpy(&b, &value, sizeof b);
  return b;
}

SIMT_DEVICE float from_bits(uint32_t b) {
  float value;
  memcpy(&value, &b, sizeof value);
  return value;
}

/// Sixteen bytes of T: what one thread loads at a time.
template <class T>
struct alignas(16) Vector {
  static constexpr int kElements = 16 / sizeof(T);
  T at[kElements];
};

/// The greater operand; NaN only if both are (IEEE 754-2019 maximumNumber, and CUDA's fmaxf).
SIMT_DEVICE float max_number(float a, float b) { return b > a || a != a ? b : a; }
SIMT_DEVICE float min_number(float a, float b) { return b < a || a != a ? b : a; }

/// The greater operand; NaN if one is (torch's amax and clamp).
SIMT_DEVICE float max_or_nan(float a, float b) { return b > a || b != b ? b : a; }
SIMT_DEVICE float min_or_nan(float a, float b) { return b < a || b != b ? b : a; }

SIMT_DEVICE float magnitude(float value) { return from_bits(bits(value) & 0x7fffffffu); }

}  // namespace simt
