// MXFP8 as AITER makes it. Sources: mx_quant_utils.h and _triton_kernels/quant/quant.py (e4048607).
#pragma once

#include "kernels/ops/quant_mx/rules.h"

namespace assay_kernels {

/// Inf has the byte 255 and the reciprocal 1 / Inf. The buffer's padding is left as it was.
struct AiterPer1x32 : MxRules {
  static constexpr const char* kContract = "aiter.per_1x32_e8m0";
  static constexpr bool kWritesPadding = false;
  SIMT_DEVICE static float amax(float widest) { return simt::max_number(widest, 1e-10f); }
  SIMT_DEVICE static uint32_t exponent(float amax) { return ceil_of(amax * (1.0f / 448.0f)); }
  SIMT_DEVICE static float multiplier(float /*amax*/, uint32_t e) { return e == 255u ? 0.0f : e8m0_reciprocal(e); }
  SIMT_DEVICE static float clamp(float v) { return clamp_max_min(v, 448.0f); }

 protected:
  SIMT_DEVICE static uint32_t ceil_of(float y) { return simt::bits(y) == 0x7f800000u ? 255u : exponent_ceil(y); }
};

struct AiterPer1x32Fnuz : AiterPer1x32 {
  static constexpr const char* kContract = "aiter.per_1x32_e8m0_fnuz";
  using Code = E4m3fnuzSat;
  SIMT_DEVICE static uint32_t exponent(float amax) { return ceil_of(amax * (1.0f / 240.0f)); }
  SIMT_DEVICE static float clamp(float v) { return clamp_max_min(v, 240.0f); }
};

/// v0.1.15: the nearest power of two, over 256 or 128.
struct AiterPer1x32V0115 : AiterPer1x32 {
  static constexpr const char* kContract = "aiter.per_1x32_e8m0@v0.1.15";
  SIMT_DEVICE static uint32_t exponent(float amax) { return nearest_of(amax, 8u); }

 protected:
  SIMT_DEVICE static uint32_t nearest_of(float amax, uint32_t less) {
    const uint32_t e = (simt::bits(amax) + 0x400000u) >> 23;
    return e >= 255u ? 255u : e - less;
  }
};

struct AiterPer1x32FnuzV0115 : AiterPer1x32V0115 {
  static constexpr const char* kContract = "aiter.per_1x32_e8m0_fnuz@v0.1.15";
  using Code = E4m3fnuzSat;
  SIMT_DEVICE static uint32_t exponent(float amax) { return nearest_of(amax, 7u); }
  SIMT_DEVICE static float clamp(float v) { return clamp_max_min(v, 240.0f); }
};

/// Adds a quarter of the significand, the constant of FP4, and takes the exponent of what comes out.
struct AiterTritonMxfp8 : MxRules {
  static constexpr const char* kContract = "aiter.triton_mxfp8";
  static constexpr bool kWritesPadding = false;
  SIMT_DEVICE static uint32_t exponent(float amax) {
    const uint32_t e = (simt::bits(amax) + 0x200000u) >> 23;
    return e >= 255u ? 254u : e < 8u ? 0u : e - 8u;
  }
};

/// For gfx1250, into a buffer of zeros.
struct AiterTritonMxfp8N32k4 : AiterTritonMxfp8 {
  static constexpr const char* kContract = "aiter.triton_mxfp8_n32k4";
  static constexpr bool kWritesPadding = true;
};

}  // namespace assay_kernels
