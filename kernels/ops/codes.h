// The element codes that kernels write, four at a time.
#pragma once

#include "assay/abi.h"
#include "kernels/simt/simt.h"

namespace assay_kernels {

/// Four codes in a word, the first in the lowest byte, from a cast of one.
template <class Code>
SIMT_DEVICE uint32_t encode4_one_by_one(const float* v) {
  return uint32_t{Code::encode(v[0])} | uint32_t{Code::encode(v[1])} << 8 | uint32_t{Code::encode(v[2])} << 16 |
         uint32_t{Code::encode(v[3])} << 24;
}

/// The greater of two magnitudes; NaN if one is. Without signs patterns are in the order of numbers, and NaN is above Inf.
SIMT_DEVICE float widest_or_nan(float a, float b) {
  const uint32_t u = simt::bits(a), v = simt::bits(b);
  return simt::from_bits(u > v ? u : v);
}

struct E4m3fnSat {
  static constexpr int kType = ASSAY_FLOAT8_E4M3FN;
  SIMT_DEVICE static uint8_t encode(float v) { return simt::to_e4m3fn_sat(v); }
  SIMT_DEVICE static uint32_t encode4(const float* v) {
    return simt::to_e4m3fn_sat_x2(v[0], v[1]) | simt::to_e4m3fn_sat_x2(v[2], v[3]) << 16;
  }
};

struct E4m3fnNosat {
  static constexpr int kType = ASSAY_FLOAT8_E4M3FN;
  SIMT_DEVICE static uint8_t encode(float v) { return simt::to_e4m3fn_nosat(v); }
  /// As where it saturates, but for what lies beyond the tie 464: there 7e becomes 7f, and NaN has its sign.
  SIMT_DEVICE static uint32_t encode4(const float* v) {
    const float low = widest_or_nan(simt::magnitude(v[0]), simt::magnitude(v[1]));
    const float high = widest_or_nan(simt::magnitude(v[2]), simt::magnitude(v[3]));
    uint32_t word = E4m3fnSat::encode4(v);
    if (widest_or_nan(low, high) <= 464.0f) return word;
    SIMT_UNROLL
    for (int i = 0; i < 4; ++i)
      if (!(simt::magnitude(v[i]) <= 464.0f)) word |= ((simt::bits(v[i]) >> 24 & 0x80u) | 0x7fu) << (8 * i);
    return word;
  }
};

struct E4m3fnuzSat {
  static constexpr int kType = ASSAY_FLOAT8_E4M3FNUZ;
  SIMT_DEVICE static uint8_t encode(float v) { return simt::to_e4m3fnuz_sat(v); }
  SIMT_DEVICE static uint32_t encode4(const float* v) { return encode4_one_by_one<E4m3fnuzSat>(v); }
};

/// int8 as three conversions of one project have it; NaN is 0 in each.
struct Int8Nearest {
  static constexpr int kType = ASSAY_INT;
  SIMT_DEVICE static uint8_t encode(float v) { return simt::to_int8_sat(v); }
  SIMT_DEVICE static uint32_t encode4(const float* v) { return encode4_one_by_one<Int8Nearest>(v); }
};

struct Int8Truncated {
  static constexpr int kType = ASSAY_INT;
  SIMT_DEVICE static uint8_t encode(float v) { return simt::to_int8_rz_sat(v); }
  SIMT_DEVICE static uint32_t encode4(const float* v) { return encode4_one_by_one<Int8Truncated>(v); }
};

struct Int8TiesAway {
  static constexpr int kType = ASSAY_INT;
  SIMT_DEVICE static uint8_t encode(float v) { return simt::to_int8_rna_sat(v); }
  SIMT_DEVICE static uint32_t encode4(const float* v) { return encode4_one_by_one<Int8TiesAway>(v); }
};

}  // namespace assay_kernels
