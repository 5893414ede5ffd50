// MXFP8 as FlashInfer makes it. Sources: quantization_utils.cuh and quantization_cute_dsl_utils.py (fb28d724; v0.6.18).
#pragma once

#include "kernels/ops/quant_mx/rules.h"

namespace assay_kernels {

struct FlashinferMxfp8 : MxRules {
  static constexpr const char* kContract = "flashinfer.mxfp8";
  SIMT_DEVICE static uint32_t exponent(float amax) { return e8m0_ceil(flushed(amax * (1.0f / 448.0f))); }
  /// rcp.approx.ftz: the subnormal 2^-127 counts as 0, for which the guard gives 0; and 1 / 2^127 is flushed.
  SIMT_DEVICE static float multiplier(float /*amax*/, uint32_t e) { return e == 0u || e == 254u ? 0.0f : e8m0_reciprocal(e); }
  SIMT_DEVICE static float before(float v) { return flushed(v); }
  SIMT_DEVICE static float clamp(float v) { return clamp_min_max(v, 448.0f); }
};

/// The guard looks at amax: under byte 0 the multiplier is 1 / 0.
struct FlashinferMxfp8V0213 : FlashinferMxfp8 {
  static constexpr const char* kContract = "flashinfer.mxfp8@v0.2.13";
  SIMT_DEVICE static float multiplier(float amax, uint32_t e) {
    if (flushed(amax) == 0.0f || e == 254u) return 0.0f;
    return e == 0u ? simt::from_bits(0x7f800000u) : e8m0_reciprocal(e);
  }
  SIMT_DEVICE static float clamp(float v) { return v; }
};

/// Nothing is clamped: NaN and Inf times 0 have the code of NaN.
struct FlashinferMxfp8V063 : FlashinferMxfp8 {
  static constexpr const char* kContract = "flashinfer.mxfp8@v0.6.3";
  SIMT_DEVICE static float clamp(float v) { return v; }
};

struct FlashinferMxfp8Cute : FlashinferMxfp8 {
  static constexpr const char* kContract = "flashinfer.mxfp8_cute";
  SIMT_DEVICE static uint32_t exponent(float amax) { return e8m0_ceil(amax * (1.0f / 448.0f)); }
  SIMT_DEVICE static float before(float v) { return v; }
  SIMT_DEVICE static float clamp(float v) { return v; }
};

/// min, then max: NaN and Inf times 0 are 448.
struct FlashinferMxfp8CuteV0618 : FlashinferMxfp8Cute {
  static constexpr const char* kContract = "flashinfer.mxfp8_cute@v0.6.18";
  SIMT_DEVICE static float clamp(float v) { return clamp_min_max(v, 448.0f); }
};

}  // namespace assay_kernels
