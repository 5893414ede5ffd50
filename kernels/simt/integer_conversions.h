// Conversions that neither a CPU nor an AMD GPU has an instruction for, by those of cast_bits.h. Included by the vendors' headers.
#pragma once

#include "kernels/simt/cast_bits.h"

namespace simt {

SIMT_DEVICE uint8_t to_e8m0_rz_sat(float v) { return e8m0_bits_rz_sat(v); }
SIMT_DEVICE uint8_t to_e8m0_rp_sat(float v) { return e8m0_bits_rp_sat(v); }
SIMT_DEVICE uint8_t to_int8_sat(float v) { return int8_bits_sat(v); }
SIMT_DEVICE uint8_t to_int8_rz_sat(float v) { return int8_bits_rz_sat(v); }
SIMT_DEVICE uint8_t to_int8_rna_sat(float v) { return int8_bits_rna_sat(v); }
SIMT_DEVICE int32_t to_int32_sat(float v) { return int32_bits_sat(v); }
SIMT_DEVICE int32_t add_sat(int32_t a, int32_t b) { return sum_sat(a, b); }
/// Four integers, each limited, as the bytes of a word, the first lowest.
SIMT_DEVICE uint32_t pack_int8_sat(int32_t a, int32_t b, int32_t c, int32_t d) {
  return uint32_t{int8_bits_of_int32_sat(a)} | uint32_t{int8_bits_of_int32_sat(b)} << 8 |
         uint32_t{int8_bits_of_int32_sat(c)} << 16 | uint32_t{int8_bits_of_int32_sat(d)} << 24;
}

}  // namespace simt
