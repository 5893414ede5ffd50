// Element types and bit patterns, equal for every vendor. Vendor headers include this file after they define SIMT_DEVICE.
#pragma once

#include <cstdint>

namespace simt {

struct Bf16 {
  uint16_t bits;
};

struct F16 {
  uint16_t bits;
};

SIMT_DEVICE uint32_t bits(float value) {
  uint32_t b;
  __builtin_memcpy(&b, &value, sizeof b);
  return b;
}

SIMT_DEVICE float from_bits(uint32_t b) {
  float value;
  __builtin_memcpy(&value, &b, sizeof value);
  return value;
}

/// Sixteen bytes of T: one load of a thread.
template <class T>
struct alignas(16) Vector {
  static constexpr int kElements = 16 / sizeof(T);
  T at[kElements];
};

}  // namespace simt
