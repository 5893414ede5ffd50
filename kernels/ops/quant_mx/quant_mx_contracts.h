// The contracts of quant_mx: FlashInfer, vLLM, torchao, AITER.
#pragma once

#include "kernels/ops/quant_mx/quant_mx_kernel.h"

namespace assay_kernels {

// MXFP8 as FlashInfer makes it. Sources: quantization_utils.cuh and quantization_cute_dsl_utils.py (fb28d724; v0.6.18).

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

// MXFP8 as vLLM makes it. Sources: mxfp8_experts_quant.cuh (3240a1e4), mxfp8_utils.py (v0.26.0, v0.27.0, v0.30.0).

/// The guard looks at amax, not at the scale, so that a tiny block is multiplied by 1 / 0.
struct VllmMxfp8Experts : FlashinferMxfp8Cute {
  static constexpr const char* kContract = "vllm.mxfp8_experts";
  static constexpr bool kWritesAbsentRows = false;
  SIMT_DEVICE static float multiplier(float amax, uint32_t e) {
    if (amax == 0.0f || e == 254u) return 0.0f;
    return e == 0u ? simt::from_bits(0x7f800000u) : e8m0_reciprocal(e);
  }
};

/// The exponent of amax itself. The byte of a block with NaN is not specified.
struct VllmMxfp8Torch : MxRules {
  static constexpr const char* kContract = "vllm.mxfp8_torch";
  using Code = E4m3fnNosat;
  SIMT_DEVICE static float widest(float a, float b) { return simt::max_or_nan(a, b); }
  SIMT_DEVICE static float amax(float widest) { return simt::max_or_nan(widest, 0x1p-126f); }
  SIMT_DEVICE static uint32_t exponent(float amax) {
    const uint32_t e = simt::bits(amax) >> 23;
    return e < 254u ? e : 254u;
  }
};

/// amax / 448 is a product on a GPU, and its exponent is that of a logarithm rounded up.
struct VllmMxfp8TorchV0270 : VllmMxfp8Torch {
  static constexpr const char* kContract = "vllm.mxfp8_torch@v0.27.0";
  using Code = E4m3fnSat;
  SIMT_DEVICE static uint32_t exponent(float amax) {
    const float e = simt::ceil(simt::log2(amax * (1.0f / 448.0f))) + 127.0f;
    return e <= 0.0f ? 0u : e < 254.0f ? uint32_t(e) : 254u;
  }
};

/// Triton: a NaN is dropped by the maximum; the exponent of the logarithm, rounded up. No padding is written.
struct VllmMxfp8Triton : MxRules {
  static constexpr bool kWritesPadding = false;
  SIMT_DEVICE static uint32_t exponent(float amax) { return VllmMxfp8TorchV0270::exponent(amax); }
};

/// The divisor is made by ex2.approx.ftz: byte 0 divides by 0.
struct VllmMxfp8TritonV0270 : VllmMxfp8Triton {
  static constexpr const char* kContract = "vllm.mxfp8_triton@v0.27.0";
  SIMT_DEVICE static float amax(float widest) { return simt::max_number(widest, 0x1p-126f); }
  SIMT_DEVICE static float multiplier(float /*amax*/, uint32_t e) {
    return e == 0u ? simt::from_bits(0x7f800000u) : e8m0_reciprocal(e);
  }
};

/// And so is the factor: that of byte 254 is 0.
struct VllmMxfp8TritonV0300 : VllmMxfp8TritonV0270 {
  static constexpr const char* kContract = "vllm.mxfp8_triton@v0.30.0";
  SIMT_DEVICE static float multiplier(float /*amax*/, uint32_t e) { return e == 254u ? 0.0f : e8m0_reciprocal(e); }
};

/// Behind an activation or a norm: nothing bounds amax, and a block of zeros is divided by 1.
struct VllmMxfp8Fused : VllmMxfp8Triton {
  SIMT_DEVICE static float multiplier(float amax, uint32_t e) {
    if (amax == 0.0f) return 1.0f;
    return e == 0u ? simt::from_bits(0x7f800000u) : e8m0_reciprocal(e);
  }
};

// MXFP8 as torchao makes it. Source: mx_tensor.py (050515e8).

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

// MXFP8 as AITER makes it. Sources: mx_quant_utils.h and _triton_kernels/quant/quant.py (e4048607).

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
