// MXFP8 as torchao makes it. Source: mx_tensor.py (050515e8).
#pragma once

#include "kernels/ops/quant_mx/rules.h"

namespace assay_kernels {

/// torch: amax keeps NaN; NaN and Inf have the byte 255, and a block of NaN.
struct TorchaoMxFloor : MxRules {
  static constexpr const char* kContract = "torchao.mx_floor";
  SIMT_DEVICE static float widest(float a, float b) { return simt::max_or_nan(a, b); }
  SIMT_DEVICE static uint32_t exponent(float amax) { return less_emax(simt::bits(amax) >> 23, 255u); }
  SIMT_DEVICE static float clamp(float v) { return clamp_keep(v, 448.0f); }

 protected:
  /// e - 8, at least 0; `special` and what lies above it have no exponent.
  SIMT_DEVICE static uint32_t less_emax(uint32_t e, uint32_t special) { return e >= special ? 255u : e < 8u ? 0u : e - 8u; }
};

struct TorchaoMxRceil : TorchaoMxFloor {
  static constexpr const char* kContract = "torchao.mx_rceil";
  using Code = E4m3fnNosat;
  SIMT_DEVICE static uint32_t exponent(float amax) {
    const float y = amax * (1.0f / 448.0f);
    return simt::bits(y) >= 0x7f800000u ? 255u : e8m0_ceil(y);
  }
  SIMT_DEVICE static float clamp(float v) { return v; }
};

struct TorchaoMxCeil : TorchaoMxFloor {
  static constexpr const char* kContract = "torchao.mx_ceil";
  SIMT_DEVICE static uint32_t exponent(float amax) {
    return simt::bits(amax) >= 0x7f800000u ? 255u : less_emax(exponent_ceil(amax), 256u);
  }
};

/// Half a step of the element's significand is added; what carries beyond the largest exponent is Inf.
struct TorchaoMxEven : TorchaoMxFloor {
  static constexpr const char* kContract = "torchao.mx_even";
  SIMT_DEVICE static uint32_t exponent(float amax) {
    const uint32_t b = simt::bits(amax);
    return b > 0x7f800000u ? 255u : less_emax((b + 0x80000u) >> 23, 255u);
  }
};

/// Releases of torchao until 2026-08-12: Inf has an exponent like any other, elements are divided by 2^-126 at least, and by Inf where the
/// byte is 255.
template <class Later>
struct TorchaoMxV0120 : Later {
  SIMT_DEVICE static float multiplier(float /*amax*/, uint32_t e) { return e == 255u ? 0.0f : e8m0_reciprocal(e == 0u ? 1u : e); }
};

struct TorchaoMxFloorV0120 : TorchaoMxV0120<TorchaoMxFloor> {
  static constexpr const char* kContract = "torchao.mx_floor@v0.12.0";
  SIMT_DEVICE static uint32_t exponent(float amax) {
    const uint32_t b = simt::bits(amax);
    return b > 0x7f800000u ? 255u : less_emax(b >> 23, 256u);
  }
};

struct TorchaoMxCeilV0120 : TorchaoMxV0120<TorchaoMxCeil> {
  static constexpr const char* kContract = "torchao.mx_ceil@v0.12.0";
  SIMT_DEVICE static uint32_t exponent(float amax) {
    return simt::bits(amax) > 0x7f800000u ? 255u : less_emax(exponent_ceil(amax), 256u);
  }
};

struct TorchaoMxEvenV0120 : TorchaoMxV0120<TorchaoMxEven> {
  static constexpr const char* kContract = "torchao.mx_even@v0.12.0";
  SIMT_DEVICE static uint32_t exponent(float amax) {
    const uint32_t b = simt::bits(amax);
    return b > 0x7f800000u ? 255u : less_emax((b + 0x80000u) >> 23, 256u);
  }
};

/// ceil(log2(.)), bounded; 1 is the multiplier under byte 0, 2^-128 under 255.
struct TorchaoMxRceilV0120 : TorchaoMxFloor {
  static constexpr const char* kContract = "torchao.mx_rceil@v0.12.0";
  SIMT_DEVICE static uint32_t exponent(float amax) {
    if (simt::bits(amax) > 0x7f800000u) return 255u;
    const float e = simt::ceil(simt::log2(amax * (1.0f / 448.0f))) + 127.0f;
    return e <= 0.0f ? 0u : e < 254.0f ? uint32_t(e) : 254u;
  }
  SIMT_DEVICE static float multiplier(float /*amax*/, uint32_t e) {
    return e == 0u ? 1.0f : e == 255u ? simt::from_bits(0x00200000u) : e8m0_reciprocal(e);
  }
};

/// Under byte 255 the multiplier is NaN.
struct TorchaoMxRceilV0180 : TorchaoMxRceilV0120 {
  static constexpr const char* kContract = "torchao.mx_rceil@v0.18.0";
  SIMT_DEVICE static float multiplier(float /*amax*/, uint32_t e) { return e == 0u ? 1.0f : e8m0_reciprocal(e); }
};

}  // namespace assay_kernels
