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
  SIMT_DEVICE static uint32_t encode4(const float* v) { return encode4_one_by_one<E4m3fnNosat>(v); }
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
