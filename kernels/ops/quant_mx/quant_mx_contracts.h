// The contracts of quant_mx: FlashInfer, vLLM, torchao and AITER.
#pragma once

#include "kernels/ops/quant_mx/quant_mx_kernel.h"

namespace assay_kernels {

// FlashInfer's MXFP8.
// Source: quantization_utils.cuh and quantization_cute_dsl_utils.py (fb28d724; v0.6.18).

struct FlashinferMxfp8 : MxRules {
  static constexpr const char* kContract = "flashinfer.mxfp8";
  SIMT_DEVICE static uint32_t exponent(float amax) { return e8m0_ceil(flushed(amax * (1.0f / 448.0f))); }
  /// For byte 0, rcp.approx.ftz would read the scale 2^-127 as 0, so the source returns 0. For byte 254, the result 2^-127 is flushed.
  SIMT_DEVICE static float multiplier(float /*amax*/, uint32_t e) { return e == 0u || e == 254u ? 0.0f : e8m0_reciprocal(e); }
  SIMT_DEVICE static float before(float v) { return flushed(v); }
  SIMT_DEVICE static float clamp(float v) { return clamp_min_max(v, 448.0f); }
};

/// The source tests whether amax is 0, not whether the byte is 0. A block of tiny values has byte 0 and the multiplier 1 / 0.
struct FlashinferMxfp8V0213 : FlashinferMxfp8 {
  static constexpr const char* kContract = "flashinfer.mxfp8@v0.2.13";
  SIMT_DEVICE static float multiplier(float amax, uint32_t e) {
    if (flushed(amax) == 0.0f || e == 254u) return 0.0f;
    return e == 0u ? simt::from_bits(0x7f800000u) : e8m0_reciprocal(e);
  }
  SIMT_DEVICE static float clamp(float v) { return v; }
};

/// Does not clamp: NaN, and the NaN of Inf * 0, give the code of NaN.
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

/// Clamps by min, then max: NaN, and the NaN of Inf * 0, become 448.
struct FlashinferMxfp8CuteV0618 : FlashinferMxfp8Cute {
  static constexpr const char* kContract = "flashinfer.mxfp8_cute@v0.6.18";
  SIMT_DEVICE static float clamp(float v) { return clamp_min_max(v, 448.0f); }
};

// vLLM's MXFP8.
// Source: mxfp8_experts_quant.cuh (3240a1e4), mxfp8_utils.py (v0.26.0, v0.27.0, v0.30.0).

/// The source tests whether amax is 0, not whether the byte is 0. A block of tiny values has byte 0 and the multiplier 1 / 0.
struct VllmMxfp8Experts : FlashinferMxfp8Cute {
  static constexpr const char* kContract = "vllm.mxfp8_experts";
  static constexpr bool kWritesAbsentRows = false;
  SIMT_DEVICE static float multiplier(float amax, uint32_t e) {
    if (amax == 0.0f || e == 254u) return 0.0f;
    return e == 0u ? simt::from_bits(0x7f800000u) : e8m0_reciprocal(e);
  }
};

/// The scale has the exponent of amax; there is no division by 448. The byte of a block with NaN is unspecified.
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

/// On a GPU, torch computes amax / 448 as amax * (1/448). The scale's exponent is the log2 of this product, rounded up.
struct VllmMxfp8TorchV0270 : VllmMxfp8Torch {
  static constexpr const char* kContract = "vllm.mxfp8_torch@v0.27.0";
  using Code = E4m3fnSat;
  SIMT_DEVICE static uint32_t exponent(float amax) {
    const float e = simt::ceil(simt::log2(amax * (1.0f / 448.0f))) + 127.0f;
    return e <= 0.0f ? 0u : e < 254.0f ? uint32_t(e) : 254u;
  }
};

/// Implemented in Triton, whose maximum ignores NaN. The scale's exponent is log2(amax / 448), rounded up. Padding is not written.
struct VllmMxfp8Triton : MxRules {
  static constexpr bool kWritesPadding = false;
  SIMT_DEVICE static uint32_t exponent(float amax) { return VllmMxfp8TorchV0270::exponent(amax); }
};

/// Computes the divisor 2^(e - 127) by ex2.approx.ftz, which flushes 2^-127 to 0: with byte 0, elements are divided by 0.
struct VllmMxfp8TritonV0270 : VllmMxfp8Triton {
  static constexpr const char* kContract = "vllm.mxfp8_triton@v0.27.0";
  SIMT_DEVICE static float amax(float widest) { return simt::max_number(widest, 0x1p-126f); }
  SIMT_DEVICE static float multiplier(float /*amax*/, uint32_t e) {
    return e == 0u ? simt::from_bits(0x7f800000u) : e8m0_reciprocal(e);
  }
};

/// Computes the factor 2^(127 - e) by ex2.approx.ftz, which flushes 2^-127 to 0: for byte 254 the factor is 0.
struct VllmMxfp8TritonV0300 : VllmMxfp8TritonV0270 {
  static constexpr const char* kContract = "vllm.mxfp8_triton@v0.30.0";
  SIMT_DEVICE static float multiplier(float /*amax*/, uint32_t e) { return e == 254u ? 0.0f : e8m0_reciprocal(e); }
};

/// Quantization after an activation or a norm. amax has no lower limit, and a block of zeros is divided by 1.
struct VllmMxfp8Fused : VllmMxfp8Triton {
  SIMT_DEVICE static float multiplier(float amax, uint32_t e) {
    if (amax == 0.0f) return 1.0f;
    return e == 0u ? simt::from_bits(0x7f800000u) : e8m0_reciprocal(e);
  }
};

// torchao's MXFP8.
// Source: mx_tensor.py (050515e8).

/// Implemented in torch, whose amax keeps NaN. If amax is NaN or Inf, the byte is 255 and all codes of the block are NaN.
struct TorchaoMxFloor : MxRules {
  static constexpr const char* kContract = "torchao.mx_floor";
  SIMT_DEVICE static float widest(float a, float b) { return simt::max_or_nan(a, b); }
  SIMT_DEVICE static uint32_t exponent(float amax) { return less_emax(simt::bits(amax) >> 23, 255u); }
  SIMT_DEVICE static float clamp(float v) { return clamp_keep(v, 448.0f); }

 protected:
  /// The exponent byte e of amax minus 8 (the exponent of e4m3's largest value), but at least 0. Returns 255 if e >= special.
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

/// Adds half a unit of e4m3's last mantissa bit to amax. A carry beyond the largest exponent gives Inf.
struct TorchaoMxEven : TorchaoMxFloor {
  static constexpr const char* kContract = "torchao.mx_even";
  SIMT_DEVICE static uint32_t exponent(float amax) {
    const uint32_t b = simt::bits(amax);
    return b > 0x7f800000u ? 255u : less_emax((b + 0x80000u) >> 23, 255u);
  }
};

/// torchao before 2026-08-12: Inf is no special case, so the byte of an Inf amax follows from its bits. Elements are divided by at
/// least 2^-126, or by Inf if the byte is 255.
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

/// The exponent is ceil(log2(amax / 448)), clamped. The multiplier is 1 for byte 0 and 2^-128 for byte 255.
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

/// For byte 255 the multiplier is NaN.
struct TorchaoMxRceilV0180 : TorchaoMxRceilV0120 {
  static constexpr const char* kContract = "torchao.mx_rceil@v0.18.0";
  SIMT_DEVICE static float multiplier(float /*amax*/, uint32_t e) { return e == 0u ? 1.0f : e8m0_reciprocal(e); }
};

// AITER's MXFP8.
// Source: mx_quant_utils.h and _triton_kernels/quant/quant.py (e4048607).

/// If amax is Inf, the byte is 255 and the multiplier 1 / Inf. Padding is not written.
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

/// v0.1.15: rounds amax to the nearest power of two, then divides it by 256 (fnuz: by 128).
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

/// Adds 0.25 to the mantissa of amax (the rounding constant for FP4) and takes the exponent of the result.
struct AiterTritonMxfp8 : MxRules {
  static constexpr const char* kContract = "aiter.triton_mxfp8";
  static constexpr bool kWritesPadding = false;
  SIMT_DEVICE static uint32_t exponent(float amax) {
    const uint32_t e = (simt::bits(amax) + 0x200000u) >> 23;
    return e >= 255u ? 254u : e < 8u ? 0u : e - 8u;
  }
};

/// For gfx1250. The output buffer is zeroed first.
struct AiterTritonMxfp8N32k4 : AiterTritonMxfp8 {
  static constexpr const char* kContract = "aiter.triton_mxfp8_n32k4";
  static constexpr bool kWritesPadding = true;
};

}  // namespace assay_kernels
