// The contracts of quant_fp4: NVFP4 of vLLM, FlashInfer, TransformerEngine, torchao and AITER; MXFP4 of vLLM, FlashInfer, torchao,
// AITER, triton_kernels and DeepGEMM.
#pragma once

#include "kernels/ops/quant_mx/quant_fp4_kernel.h"

namespace assay_kernels {

// NVFP4 with a tensor scale, 448 * 6 / amax of the tensor. Each block scale is multiplied by the tensor scale, then rounded to E4M3.

/// Source: vllm csrc/quantization/fp4/nvfp4_utils.cuh v0.33.0, cvt_warp_fp16_to_fp4.
struct VllmNvfp4 : Nvfp4Rules {
  static constexpr const char* kContract = "vllm.nvfp4";
  SIMT_DEVICE static uint8_t scale(float amax, float global) {
    return simt::to_e4m3fn_sat(global * (amax * simt::reciprocal_within(6.0f)));
  }
  SIMT_DEVICE static float multiplier(float /*amax*/, uint32_t e, float global) {
    const float s = e4m3_value(e);
    return s != 0.0f ? simt::reciprocal_within(s * simt::reciprocal_within(global)) : 0.0f;
  }
};

/// NVFP4 after silu_and_mul. The padding of the scales is not written.
/// Source: vllm csrc/libtorch_stable/quantization/fp4/activation_nvfp4_quant_fusion_kernels.cu (1051220e).
struct VllmNvfp4Fused : VllmNvfp4 {
  static constexpr bool kWritesPadding = false;
};

/// Source: flashinfer cute_dsl/fp4_common.py (fb28d724), nvfp4_compute_output_scale.
struct FlashinferNvfp4Cute : VllmNvfp4 {
  static constexpr const char* kContract = "flashinfer.nvfp4_cute";
};

/// The multiplier is 0 if amax is 0, and 1 / 0 if only the scale byte is 0. The build flushes subnormals to zero.
/// Source: flashinfer quantization_utils.cuh (fb28d724), cvt_warp_fp16_to_fp4 with fast math; jit/core.py: -use_fast_math.
struct FlashinferNvfp4 : VllmNvfp4 {
  static constexpr const char* kContract = "flashinfer.nvfp4";
  SIMT_DEVICE static float before(float v) { return flushed(v); }
  SIMT_DEVICE static uint8_t scale(float amax, float global) {
    return simt::to_e4m3fn_sat(global * flushed(flushed(amax) * simt::reciprocal_within(6.0f)));
  }
  SIMT_DEVICE static float multiplier(float amax, uint32_t e, float global) {
    return flushed(amax) == 0.0f ? 0.0f : e == 0u ? simt::from_bits(0x7f800000u) : VllmNvfp4::multiplier(amax, e, global);
  }
};

/// Divisions and multiplications are rounded to nearest; the source uses no approximate reciprocals.
/// Source: transformer_engine/common/cast/nvfp4/core_nvfp4.cuh (d0067d0d).
struct TransformerEngineNvfp4 : Nvfp4Rules {
  static constexpr const char* kContract = "transformer_engine.nvfp4";
  SIMT_DEVICE static float with_nan(float amax, bool /*all*/) { return amax; }
  SIMT_DEVICE static uint8_t scale(float amax, float global) { return simt::to_e4m3fn_sat(amax * (global * (1.0f / 6.0f))); }
  SIMT_DEVICE static float multiplier(float /*amax*/, uint32_t e, float global) {
    const float s = e4m3_value(e);
    return s != 0.0f ? simt::min_number(1.0f / (s * (1.0f / global)), 0x1.fffffep127f) : 0x1.fffffep127f;
  }
};

/// Source: flashinfer cute_dsl/fp4_common.py (fb28d724), nvfp4_compute_output_scale_rn.
struct FlashinferNvfp4CuteExact : TransformerEngineNvfp4 {
  static constexpr const char* kContract = "flashinfer.nvfp4_cute_exact";
  SIMT_DEVICE static float with_nan(float amax, bool all) { return Fp4Rules::with_nan(amax, all); }
};

/// Computes as FlashinferNvfp4CuteExact does, in a build that flushes subnormals to zero.
/// Source: flashinfer quantization_utils.cuh (fb28d724) with DISABLE_FP4_QUANT_FAST_MATH; jit/core.py: -use_fast_math.
struct FlashinferNvfp4Exact : FlashinferNvfp4CuteExact {
  static constexpr const char* kContract = "flashinfer.nvfp4_exact";
  SIMT_DEVICE static float before(float v) { return flushed(v); }
  SIMT_DEVICE static uint8_t scale(float amax, float global) { return TransformerEngineNvfp4::scale(flushed(amax), global); }
};

/// The multiplier is one division, global / s; VllmNvfp4 computes it from two reciprocals and a multiplication.
/// Source: flashinfer trtllm_allreduce_fusion.cuh (fb28d724), cvt_warp_fp16_to_fp4.
struct FlashinferArNvfp4 : Nvfp4Rules {
  static constexpr const char* kContract = "flashinfer.nvfp4_ar_fusion";
  static constexpr bool kWritesPadding = false;
  SIMT_DEVICE static float before(float v) { return flushed(v); }
  SIMT_DEVICE static uint8_t scale(float amax, float global) {
    return simt::to_e4m3fn_sat(global * flushed(flushed(amax) * (1.0f / 6.0f)));
  }
  SIMT_DEVICE static float multiplier(float /*amax*/, uint32_t e, float global) {
    const float s = e4m3_value(e);
    return s != 0.0f ? global / s : 0.0f;
  }
};

/// Quantization after a norm. The block scale is (global * amax) * (1 / 6); the multiplier is (1 / block scale) * global.
/// Source: flashinfer cute_dsl/rmsnorm_fp4quant.py and fp4_common.py (fb28d724).
struct FlashinferNormNvfp4 : Nvfp4Rules {
  static constexpr bool kWritesPadding = false;
  SIMT_DEVICE static uint8_t scale(float amax, float global) {
    return simt::to_e4m3fn_sat(simt::min_number(global * amax * simt::reciprocal_within(6.0f), 448.0f));
  }
  SIMT_DEVICE static float multiplier(float /*amax*/, uint32_t e, float global) {
    const float s = e4m3_value(e);
    return s != 0.0f ? simt::reciprocal_within(s) * global : 0.0f;
  }
};

/// Each row has its own scale, and the row's block scales are multiplied by the reciprocal of this scale.
/// Source: flashinfer quantization.cuh (fb28d724), nvfp4QuantAndPerTokenScaleKernel with fast math.
struct FlashinferNvfp4PerToken : FlashinferNvfp4 {
  static constexpr const char* kContract = "flashinfer.nvfp4_per_token";
  static constexpr bool kHasScaleOfRow = true;
  SIMT_DEVICE static uint8_t scale(float amax, float row) { return FlashinferNvfp4::scale(amax, simt::reciprocal_within(row)); }
  SIMT_DEVICE static float multiplier(float amax, uint32_t e, float row) {
    return FlashinferNvfp4::multiplier(amax, e, simt::reciprocal_within(row));
  }
};

/// Quantization for a KV cache. The tensor scale is an input, and block scales are multiplied by its reciprocal.
/// Source: vllm csrc/nvfp4_kv_cache_kernels.cu v0.33.0, reshape_and_cache_nvfp4_kernel.
struct VllmNvfp4Kv : VllmNvfp4 {
  static constexpr const char* kContract = "vllm.nvfp4_kv";
  static constexpr bool kWritesPadding = false;
  SIMT_DEVICE static uint8_t scale(float amax, float global) { return VllmNvfp4::scale(amax, 1.0f / global); }
  SIMT_DEVICE static float multiplier(float amax, uint32_t e, float global) { return VllmNvfp4::multiplier(amax, e, 1.0f / global); }
};

// 4over6: a block has two candidate scales. One maps amax to 6. The other one, the rival, maps amax to 4, and is used if its errors are smaller.

/// Source: flashinfer quantization_utils.cuh (fb28d724) with NVFP4_4OVER6 and DISABLE_FP4_QUANT_FAST_MATH.
struct FlashinferNvfp44over6 : FlashinferNvfp4Exact {
  static constexpr const char* kContract = "flashinfer.nvfp4_4over6_exact";
  static constexpr bool kHasRival = true;
  SIMT_DEVICE static bool is_empty(float amax) { return flushed(amax) == 0.0f; }
  SIMT_DEVICE static uint8_t scale(float amax, float global) { return simt::to_e4m3fn_sat(flushed(flushed(amax) / 6.0f) * global); }
  SIMT_DEVICE static uint8_t rival(float amax, float global) {
    return simt::to_e4m3fn_sat(flushed(flushed(amax) / 6.0f) * global * 1.5f);
  }
  SIMT_DEVICE static float error(float code, float scale, float global, float v) {
    return simt::magnitude(code * scale * (1.0f / global) - v);
  }
  SIMT_DEVICE static bool is_better(float rival, float own) { return rival < own; }
};

/// Chooses between the two scales by the sums of squared errors.
struct FlashinferNvfp44over6Mse : FlashinferNvfp44over6 {
  static constexpr const char* kContract = "flashinfer.nvfp4_4over6_exact_mse";
  SIMT_DEVICE static float error(float code, float scale, float global, float v) {
    const float e = FlashinferNvfp44over6::error(code, scale, global, v);
    return e * e;
  }
};

/// Chooses between the two scales by the errors of elements that were multiplied by the tensor's scale.
struct FlashinferNvfp44over6F16 : FlashinferNvfp44over6 {
  static constexpr const char* kContract = "flashinfer.nvfp4_4over6_exact_f16";
  SIMT_DEVICE static float error(float code, float scale, float global, float v) { return simt::magnitude(code * scale - v * global); }
};

/// 4over6 with approximate reciprocals.
/// Source: flashinfer quantization_utils.cuh (fb28d724) with NVFP4_4OVER6.
struct FlashinferNvfp44over6Fast : FlashinferNvfp4 {
  static constexpr const char* kContract = "flashinfer.nvfp4_4over6";
  static constexpr bool kHasRival = true;
  SIMT_DEVICE static bool is_empty(float amax) { return flushed(amax) == 0.0f; }
  SIMT_DEVICE static uint8_t rival(float amax, float global) {
    return simt::to_e4m3fn_sat(global * flushed(flushed(amax) * simt::reciprocal_within(6.0f)) * 1.5f);
  }
  SIMT_DEVICE static float error(float code, float scale, float global, float v) {
    return simt::magnitude(code * scale * simt::reciprocal_within(global) - v);
  }
  SIMT_DEVICE static bool is_better(float rival, float own) { return rival < own; }
};

/// The CuTe DSL kernel, which does not flush subnormals.
/// Source: flashinfer quantization_cute_dsl_utils.py (fb28d724), _nvfp4_4over6_quant_from_values.
struct FlashinferNvfp44over6Cute : FlashinferNvfp44over6Fast {
  static constexpr const char* kContract = "flashinfer.nvfp4_4over6_cute";
  SIMT_DEVICE static bool is_empty(float amax) { return amax == 0.0f; }
  SIMT_DEVICE static float before(float v) { return v; }
  SIMT_DEVICE static uint8_t scale(float amax, float global) { return VllmNvfp4::scale(amax, global); }
  SIMT_DEVICE static float multiplier(float amax, uint32_t e, float global) {
    return amax == 0.0f ? 0.0f : e == 0u ? simt::from_bits(0x7f800000u) : VllmNvfp4::multiplier(amax, e, global);
  }
  SIMT_DEVICE static uint8_t rival(float amax, float global) {
    return simt::to_e4m3fn_sat(global * (amax * simt::reciprocal_within(6.0f)) * 1.5f);
  }
};
struct FlashinferNvfp44over6CuteExact : FlashinferNvfp44over6 {
  static constexpr const char* kContract = "flashinfer.nvfp4_4over6_cute_exact";
  SIMT_DEVICE static bool is_empty(float amax) { return amax == 0.0f; }
  SIMT_DEVICE static float before(float v) { return v; }
  SIMT_DEVICE static uint8_t scale(float amax, float global) { return simt::to_e4m3fn_sat(amax / 6.0f * global); }
  SIMT_DEVICE static uint8_t rival(float amax, float global) { return simt::to_e4m3fn_sat(amax / 6.0f * global * 1.5f); }
};

/// Source: vllm csrc/nvfp4_kv_cache_kernels.cu v0.33.0, cvt_warp_fp16_to_fp4_4over6.
struct VllmNvfp4Kv4over6 : VllmNvfp4Kv {
  static constexpr const char* kContract = "vllm.nvfp4_kv_4over6";
  static constexpr bool kHasRival = true;
  SIMT_DEVICE static uint8_t rival(float amax, float global) {
    return simt::to_e4m3fn_sat(1.0f / global * (amax * simt::reciprocal_within(4.0f)));
  }
  SIMT_DEVICE static float error(float code, float scale, float global, float v) {
    const float e = code * (scale * global) - v;
    return e * e;
  }
  SIMT_DEVICE static bool is_better(float rival, float own) { return rival < own; }
};

// NVFP4 of torchao and AITER.

/// Block scales are divided by the scale of the tensor, which here is amax of the tensor / (448 * 6). No block scale is below 2^-6.
/// Source: torchao v0.18.0 prototype/mx_formats/nvfp4_tensor.py, nvfp4_quantize.
struct TorchaoNvfp4 : Nvfp4Rules {
  static constexpr const char* kContract = "torchao.nvfp4";
  SIMT_DEVICE static float with_nan(float /*amax*/, bool /*all*/) { return simt::from_bits(kNanBits); }
  SIMT_DEVICE static uint8_t scale(float amax, float global) { return bounded(amax / 6.0f / global); }
  SIMT_DEVICE static float multiplier(float /*amax*/, uint32_t e, float global) { return 1.0f / global / e4m3_value(e); }
  SIMT_DEVICE static float clamp(float v) { return clamp_keep(v, 6.0f); }

 protected:
  SIMT_DEVICE static uint8_t bounded(float v) { return v < 0x1p-6f ? simt::to_e4m3fn_sat(0x1p-6f) : simt::to_e4m3fn_sat(v); }
};

/// Except on the CPU, torch replaces a division by a Python number by a multiplication with its reciprocal, here 1/6.
struct TorchaoNvfp4Gpu : TorchaoNvfp4 {
  static constexpr const char* kContract = "torchao.nvfp4_gpu";
  SIMT_DEVICE static uint8_t scale(float amax, float global) { return bounded(amax * (1.0f / 6.0f) / global); }
};

/// torchao's NVFP4 without a scale of the tensor.
struct TorchaoNvfp4Block : TorchaoNvfp4 {
  static constexpr const char* kContract = "torchao.nvfp4_block";
  static constexpr bool kHasTensorScale = false;
  SIMT_DEVICE static uint8_t scale(float amax, float /*global*/) { return bounded(amax / 6.0f); }
  SIMT_DEVICE static float multiplier(float /*amax*/, uint32_t e, float /*global*/) { return 1.0f / e4m3_value(e); }
};

struct TorchaoNvfp4BlockGpu : TorchaoNvfp4Block {
  static constexpr const char* kContract = "torchao.nvfp4_block_gpu";
  SIMT_DEVICE static uint8_t scale(float amax, float /*global*/) { return bounded(amax * (1.0f / 6.0f)); }
};

/// Elements are multiplied by the reciprocal of the fp32 scale, before the scale is rounded to E4M3 for storage.
/// Source: aiter ops/triton/_triton_kernels/quant/quant.py (e4048607), _nvfp4_quant_op.
struct AiterTritonNvfp4 : Nvfp4Rules {
  static constexpr const char* kContract = "aiter.triton_nvfp4";
  static constexpr bool kHasTensorScale = false;
  static constexpr bool kWritesPadding = false;
  SIMT_DEVICE static uint8_t scale(float amax, float /*global*/) { return simt::to_e4m3fn_sat(amax / 6.0f); }
  SIMT_DEVICE static float multiplier(float amax, uint32_t /*e*/, float /*global*/) {
    return amax == 0.0f ? simt::from_bits(0x7f800000u) : 1.0f / (amax / 6.0f);
  }
};

/// The quantized elements of a cache record of type nvfp4_ds_mla. No block scale is below 2^-9.
/// Source: vllm csrc/nvfp4_ds_mla_cache_kernels.cu v0.33.0, nvfp4_tile_scale and nvfp4_pack16_e2m1_rn.
struct VllmNvfp4DsMla : AiterTritonNvfp4 {
  static constexpr const char* kContract = "vllm.nvfp4_ds_mla";
  SIMT_DEVICE static float with_nan(float amax, bool /*all*/) { return amax; }
  SIMT_DEVICE static uint8_t scale(float amax, float /*global*/) { return simt::to_e4m3fn_sat(simt::max_number(amax / 6.0f, 0x1p-9f)); }
  SIMT_DEVICE static float multiplier(float /*amax*/, uint32_t e, float /*global*/) { return 1.0f / e4m3_value(e); }
};

// MXFP4: the scale is a power of two, stored as its exponent byte. Words in capitals name rounding modes of the sources.

/// EVEN: rounds amax to one mantissa bit, then takes its exponent. A block that holds only NaN has byte 0, whose multiplier is 0.
/// Source: vllm csrc/quantization/fp4/nvfp4_utils.cuh v0.33.0, cvt_warp_fp16_to_fp4 with UE8M0_SF.
struct VllmMxfp4 : Mxfp4Rules {
  static constexpr const char* kContract = "vllm.mxfp4";
  SIMT_DEVICE static float with_nan(float amax, bool /*all*/) { return amax; }
  SIMT_DEVICE static uint8_t scale(float amax, float /*global*/) {
    const uint32_t e = (simt::bits(amax) + 0x200000u) >> 23;
    return uint8_t(e > 2u ? e - 2u : 0u);
  }
  SIMT_DEVICE static float multiplier(float /*amax*/, uint32_t e, float /*global*/) { return e == 0u ? 0.0f : e8m0_reciprocal(e); }
};

/// RCEIL: rounds the scale up, by the instruction that converts to E8M0. Fast math flushes subnormals to zero.
/// Source: flashinfer quantization_utils.cuh (fb28d724), cvt_warp_fp16_to_fp4 with UE8M0_SF.
struct FlashinferMxfp4 : Mxfp4Rules {
  static constexpr const char* kContract = "flashinfer.mxfp4";
  SIMT_DEVICE static float before(float v) { return flushed(v); }
  SIMT_DEVICE static uint8_t scale(float amax, float /*global*/) { return uint8_t(e8m0_ceil(flushed(amax * (1.0f / 6.0f)))); }
  SIMT_DEVICE static float multiplier(float /*amax*/, uint32_t e, float /*global*/) {
    return e == 0u || e == 254u ? 0.0f : e8m0_reciprocal(e);
  }
};

/// RoundUp: rounds the scale up. amax has a lower limit. The padding of the shuffled layout is not written.
/// Source: aiter csrc/kernels/quant_kernels.cu and csrc/include/mx_quant_utils.h (e4048607).
struct AiterPer1x32Mxfp4 : Mxfp4Rules {
  static constexpr const char* kContract = "aiter.per_1x32_mxfp4";
  static constexpr bool kWritesPadding = false;
  SIMT_DEVICE static float with_nan(float amax, bool /*all*/) { return amax; }
  SIMT_DEVICE static uint8_t scale(float amax, float /*global*/) {
    const float y = simt::max_number(amax, 1e-10f) * (1.0f / 6.0f);
    return uint8_t(simt::bits(y) == 0x7f800000u ? 255u : exponent_ceil(y));
  }
  SIMT_DEVICE static float multiplier(float /*amax*/, uint32_t e, float /*global*/) {
    return e == 255u ? 0.0f : e8m0_reciprocal(e);
  }
};

/// EVEN. If amax is Inf or rounds to Inf, the byte is 254, whose multiplier is flushed to 0.
/// Source: aiter ops/triton/_triton_kernels/quant/quant.py (e4048607), _mxfp4_quant_op.
struct AiterTritonMxfp4 : VllmMxfp4 {
  static constexpr const char* kContract = "aiter.triton_mxfp4";
  static constexpr bool kWritesPadding = false;
  SIMT_DEVICE static float with_nan(float amax, bool all) { return all ? simt::from_bits(0x7f800000u) : amax; }
  SIMT_DEVICE static uint8_t scale(float amax, float global) {
    const uint8_t e = VllmMxfp4::scale(amax, global);
    return e == 253u ? uint8_t(254) : e;
  }
  SIMT_DEVICE static float multiplier(float /*amax*/, uint32_t e, float /*global*/) { return e == 254u ? 0.0f : e8m0_reciprocal(e); }
};

/// FLOOR. A NaN in a block gives byte 255; elements are then divided by Inf. Other divisors are at least 2^-126.
/// Source: torchao v0.18.0 prototype/mx_formats/mx_tensor.py, to_mx.
struct TorchaoMxfp4Floor : Mxfp4Rules {
  static constexpr const char* kContract = "torchao.mxfp4_floor";
  SIMT_DEVICE static float with_nan(float /*amax*/, bool /*all*/) { return simt::from_bits(kNanBits); }
  SIMT_DEVICE static uint8_t scale(float amax, float /*global*/) { return less_two(amax, simt::bits(amax) >> 23); }
  SIMT_DEVICE static float multiplier(float /*amax*/, uint32_t e, float /*global*/) {
    return e == 255u ? 0.0f : e8m0_reciprocal(e == 0u ? 1u : e);
  }

 protected:
  SIMT_DEVICE static uint8_t less_two(float amax, uint32_t e) { return uint8_t(amax != amax ? 255u : e < 2u ? 0u : e - 2u); }
};

struct TorchaoMxfp4Ceil : TorchaoMxfp4Floor {
  static constexpr const char* kContract = "torchao.mxfp4_ceil";
  SIMT_DEVICE static uint8_t scale(float amax, float /*global*/) { return less_two(amax, exponent_ceil(amax)); }
};

struct TorchaoMxfp4Even : TorchaoMxfp4Floor {
  static constexpr const char* kContract = "torchao.mxfp4_even";
  SIMT_DEVICE static uint8_t scale(float amax, float /*global*/) { return less_two(amax, (simt::bits(amax) + 0x200000u) >> 23); }
};

/// RCEIL: the exponent is log2(amax / 6), rounded up. For byte 0 the multiplier is 1.
struct TorchaoMxfp4Rceil : TorchaoMxfp4Floor {
  static constexpr const char* kContract = "torchao.mxfp4_rceil";
  SIMT_DEVICE static uint8_t scale(float amax, float /*global*/) {
    if (amax != amax) return 255u;
    const float e = simt::ceil(simt::log2(amax * (1.0f / 6.0f))) + 127.0f;
    return uint8_t(e <= 0.0f ? 0u : e < 254.0f ? uint32_t(e) : 254u);
  }
  SIMT_DEVICE static float multiplier(float /*amax*/, uint32_t e, float /*global*/) { return e == 0u ? 1.0f : e8m0_reciprocal(e); }
  SIMT_DEVICE static float clamp(float v) { return clamp_keep(v, 6.0f); }
};

/// ROUND_UP: the exponent of amax / 6, rounded up, from the bits of this quotient. Codes round ties away from zero.
/// Source: triton_kernels numerics_details/mxfp_details/_downcast_to_mxfp.py (d1c192b7).
struct TritonKernelsMxfp4 : Mxfp4Rules {
  static constexpr const char* kContract = "triton_kernels.mxfp4";
  static constexpr bool kWritesPadding = false;
  SIMT_DEVICE static float with_nan(float amax, bool /*all*/) { return amax; }
  SIMT_DEVICE static uint8_t scale(float amax, float /*global*/) { return finite(amax) ? uint8_t(e8m0_ceil(amax / 6.0f)) : 255; }
  SIMT_DEVICE static float multiplier(float /*amax*/, uint32_t e, float /*global*/) {
    return e == 0u || e == 255u ? 0.0f : e8m0_reciprocal(e);
  }
  SIMT_DEVICE static uint32_t code(float v) {
    const float m = simt::magnitude(v);
    if (!(m < 5.0f)) return v < 0.0f ? 15u : 7u;
    const uint32_t code = uint32_t(m >= 0.25f) + uint32_t(m >= 0.75f) + uint32_t(m >= 1.25f) + uint32_t(m >= 1.75f) +
                          uint32_t(m >= 2.5f) + uint32_t(m >= 3.5f);
    return (simt::bits(v) >> 28 & 8u) | code;
  }

 protected:
  SIMT_DEVICE static bool finite(float amax) { return amax <= 0x1.fffffep127f; }
};

/// ROUND_DOWN: the exponent of amax / 6, rounded down, from the bits of this quotient.
struct TritonKernelsMxfp4Down : TritonKernelsMxfp4 {
  static constexpr const char* kContract = "triton_kernels.mxfp4_down";
  SIMT_DEVICE static float with_nan(float amax, bool all) { return Fp4Rules::with_nan(amax, all); }
  SIMT_DEVICE static uint8_t scale(float amax, float /*global*/) { return finite(amax) ? uint8_t(simt::bits(amax / 6.0f) >> 23) : 255; }
};

/// RCEIL. amax has a lower limit. Codes round ties toward zero, and a code of 0 has no sign. A block with NaN or Inf has byte 254.
/// Source: DeepGEMM deep_gemm/utils/math.py (54e22612), per_token_cast_to_fp4 with use_ue8m0.
struct DeepgemmMxfp4 : Mxfp4Rules {
  static constexpr const char* kContract = "deepgemm.mxfp4";
  static constexpr bool kWritesPadding = false;
  SIMT_DEVICE static float with_nan(float /*amax*/, bool /*all*/) { return simt::from_bits(kNanBits); }
  SIMT_DEVICE static uint8_t scale(float amax, float /*global*/) {
    const uint32_t e = exponent_ceil((amax < 1e-4f ? 1e-4f : amax) / 6.0f);
    return uint8_t(e < 254u ? e : 254u);
  }
  SIMT_DEVICE static uint32_t code(float v) {
    const float m = simt::magnitude(v);
    const uint32_t code = uint32_t(m > 0.25f) + uint32_t(m > 0.75f) + uint32_t(m > 1.25f) + uint32_t(m > 1.75f) + uint32_t(m > 2.5f) +
                          uint32_t(m > 3.5f) + uint32_t(m > 5.0f);
    return code == 0u ? 0u : (simt::bits(v) >> 28 & 8u) | code;
  }
};

/// One source kernel has four rounding modes: FLOOR, RCEIL, CEIL, EVEN. Its fmaxf ignores NaN; it flushes subnormals to zero.
/// Source: aiter csrc/kernels/quant_mxfp4.cu and csrc/include/mx_quant_utils.h (e4048607).
struct AiterMxfp4Floor : Mxfp4Rules {
  static constexpr const char* kContract = "aiter.quant_mxfp4_floor";
  static constexpr bool kWritesPadding = false;
  SIMT_DEVICE static float with_nan(float amax, bool /*all*/) { return amax; }
  SIMT_DEVICE static uint8_t scale(float amax, float /*global*/) { return uint8_t(simt::bits(flushed(amax * 0.25f)) >> 23); }
  SIMT_DEVICE static float multiplier(float /*amax*/, uint32_t e, float /*global*/) { return e == 255u ? 0.0f : e8m0_reciprocal(e); }
};

struct AiterMxfp4Rceil : AiterMxfp4Floor {
  static constexpr const char* kContract = "aiter.quant_mxfp4_rceil";
  SIMT_DEVICE static uint8_t scale(float amax, float /*global*/) { return uint8_t(exponent_ceil(flushed(amax * (1.0f / 6.0f)))); }
};

struct AiterMxfp4Ceil : AiterMxfp4Floor {
  static constexpr const char* kContract = "aiter.quant_mxfp4_ceil";
  SIMT_DEVICE static uint8_t scale(float amax, float /*global*/) { return uint8_t(exponent_ceil(flushed(amax * 0.25f))); }
};

struct AiterMxfp4Even : AiterMxfp4Floor {
  static constexpr const char* kContract = "aiter.quant_mxfp4_even";
  SIMT_DEVICE static uint8_t scale(float amax, float global) { return AiterTritonMxfp4::scale(amax, global); }
};

/// gfx942 converts in software. A code is negative if v < 0, so -0 becomes +0.
struct AiterMxfp4EvenGfx942 : AiterMxfp4Even {
  static constexpr const char* kContract = "aiter.quant_mxfp4_even_gfx942";
  SIMT_DEVICE static float before(float v) { return flushed(v); }
  SIMT_DEVICE static float multiplier(float /*amax*/, uint32_t e, float /*global*/) {
    return e == 0u || e >= 254u ? 0.0f : e8m0_reciprocal(e);
  }
  SIMT_DEVICE static uint32_t code(float v) { return flushed(v) == 0.0f ? 0u : e2m1_code(v); }
};

/// Quantization after an all-reduce and a norm, in mode EVEN. Codes round ties away from zero, and -0 becomes +0.
/// Source: aiter csrc/include/custom_all_reduce.cuh (e4048607), ar_mxfp4_scale_e8m0 and ar_mxfp4_encode.
struct AiterArMxfp4 : AiterMxfp4Floor {
  SIMT_DEVICE static uint8_t scale(float amax, float global) { return VllmMxfp4::scale(amax, global); }
  SIMT_DEVICE static uint32_t code(float v) { return v == 0.0f ? 0u : TritonKernelsMxfp4::code(v); }
};

/// Quantization after FlashInfer's norms. The scale's exponent is log2(amax / 6), rounded up.
/// Source: flashinfer cute_dsl/rmsnorm_fp4quant.py and fp4_common.py (fb28d724), cvt_f32_to_ue8m0.
struct FlashinferNormMxfp4 : Mxfp4Rules {
  static constexpr bool kWritesPadding = false;
  SIMT_DEVICE static uint8_t scale(float amax, float /*global*/) { return uint8_t(e8m0_ceil(amax * simt::reciprocal_within(6.0f))); }
  SIMT_DEVICE static float multiplier(float /*amax*/, uint32_t e, float /*global*/) { return e == 0u ? 0.0f : e8m0_reciprocal(e); }
};

/// Rows belong to experts; each expert has its own tensor scale. The padding of the scales is not written.
/// Source: vLLM v0.33.0, nvfp4_experts_quant.cu and mxfp4_experts_quant.cu.
struct VllmNvfp4Experts : VllmNvfp4 {
  static constexpr const char* kContract = "vllm.nvfp4_experts";
  static constexpr bool kWritesPadding = false;
};
struct VllmMxfp4Experts : VllmMxfp4 {
  static constexpr const char* kContract = "vllm.mxfp4_experts";
  static constexpr bool kWritesPadding = false;
};

/// Masked experts (each uses only its first rows), each with its own tensor scale. Unused rows and the padding of the scales are not written.
/// Source: flashinfer quantization.cuh (fb28d724), cvt_fp16_to_fp4_expert.
struct FlashinferNvfp4Experts : FlashinferNvfp4 {
  static constexpr const char* kContract = "flashinfer.nvfp4_experts";
  static constexpr bool kWritesPadding = false;
};
struct FlashinferNvfp4ExpertsExact : FlashinferNvfp4Exact {
  static constexpr const char* kContract = "flashinfer.nvfp4_experts_exact";
  static constexpr bool kWritesPadding = false;
};

using Nvfp4List = RulesList<VllmNvfp4, FlashinferNvfp4Cute, FlashinferNvfp4, TransformerEngineNvfp4, FlashinferNvfp4Exact, FlashinferNvfp4CuteExact,
                            FlashinferArNvfp4, TorchaoNvfp4, TorchaoNvfp4Gpu, VllmNvfp4Kv, VllmNvfp4Kv4over6, FlashinferNvfp44over6,
                            FlashinferNvfp44over6Mse, FlashinferNvfp44over6F16, FlashinferNvfp44over6Fast, FlashinferNvfp44over6Cute,
                            FlashinferNvfp44over6CuteExact>;
using Nvfp4BlockList = RulesList<TorchaoNvfp4Block, TorchaoNvfp4BlockGpu, AiterTritonNvfp4, VllmNvfp4DsMla>;
using Mxfp4List = RulesList<VllmMxfp4, FlashinferMxfp4, AiterPer1x32Mxfp4, AiterTritonMxfp4, TorchaoMxfp4Floor, TorchaoMxfp4Ceil,
                            TorchaoMxfp4Even, TorchaoMxfp4Rceil, TritonKernelsMxfp4, TritonKernelsMxfp4Down, DeepgemmMxfp4, AiterMxfp4Floor,
                            AiterMxfp4Rceil, AiterMxfp4Ceil, AiterMxfp4Even, AiterMxfp4EvenGfx942>;

}  // namespace assay_kernels
