// MXFP8: blocks of 32 elements with an E8M0 scale. What its implementations share; each project has a header of its own.
#pragma once

#include "kernels/ops/quant_group/rules.h"

namespace assay_kernels {

/// Biased exponent that cvt.rp.satfinite.ue8m0x2.f32 gives for y >= 0: 0 up to 2^-127, 254 for Inf, 255 for NaN.
SIMT_DEVICE uint32_t e8m0_ceil(float y) {
  const uint32_t b = simt::bits(y);
  if (b > 0x7f800000u) return 255u;
  if (b <= 0x00400000u) return 0u;
  const uint32_t e = exponent_ceil(y);
  return e < 254u ? e : 254u;
}

/// 2^(e - 127); 255 is NaN.
SIMT_DEVICE float e8m0_value(uint32_t e) { return simt::from_bits(e == 0u ? 0x00400000u : e == 255u ? 0x7fc00000u : e << 23); }

/// 2^(127 - e), exact, also where it is subnormal; 255 gives NaN.
SIMT_DEVICE float e8m0_reciprocal(uint32_t e) {
  return simt::from_bits(e == 254u ? 0x00400000u : e == 255u ? 0x7fc00000u : (254u - e) << 23);
}

/// A contract says how the exponent comes from the block's amax, what elements are multiplied by, and what happens around the
/// product.
struct MxRules : GroupRules {
  using Element = simt::Multiply;
  static constexpr bool kWritesAbsentRows = true;  ///< zeros in the tiles of an expert beyond its last row
  SIMT_DEVICE static float amax(float widest) { return widest; }
  SIMT_DEVICE static float multiplier(float /*amax*/, uint32_t e) { return e8m0_reciprocal(e); }
  SIMT_DEVICE static float before(float v) { return v; }
};

}  // namespace assay_kernels
