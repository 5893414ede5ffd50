// The contracts of quant_group: fp8 of vLLM, fp8 of other projects, and int8.
#pragma once

#include "kernels/ops/quant_group/quant_group_rules.h"

namespace assay_kernels {

// vLLM's group quantization.
// Source: csrc/quantization/w8a8/fp8/per_token_group_quant.cu (0f5257e2; v0.33.0), csrc/quantization/utils.cuh (1f89a92c),
// fp8_utils.py (v0.18.1, v0.19.0), input_quant_fp8.py (v0.19.1, v0.33.0), w8a8/fp8/common.cu (094be773).

inline constexpr float kLeastScale = 1.0f / (448.0f * 512.0f);  ///< vLLM's lower limit of scales

struct VllmGroupFp8 : GroupRules {
  static constexpr const char* kContract = "vllm.group_fp8";
  static constexpr bool kSaturates = true;
  SIMT_DEVICE static float amax(float widest) { return simt::max_number(widest, 1e-10f); }
  SIMT_DEVICE static float scale(float amax) { return over_constant(amax, 448.0f); }
  /// The source clamps to -448 .. 448. The saturating cast has the same upper limit, so max(v, -448) is enough.
  SIMT_DEVICE static float clamp(float v) { return simt::max_number(v, -448.0f); }
};

struct VllmGroupFp8Fnuz : VllmGroupFp8 {
  static constexpr const char* kContract = "vllm.group_fp8_fnuz";
  using Code = E4m3fnuzSat;
  SIMT_DEVICE static float scale(float amax) { return amax / 224.0f; }
  SIMT_DEVICE static float clamp(float v) { return clamp_max_min(v, 224.0f); }
};

/// v0.33.0: divides once per group and multiplies elements by the reciprocal.
struct VllmGroupFp8V0330 : VllmGroupFp8 {
  static constexpr const char* kContract = "vllm.group_fp8@v0.33.0";
  using Element = simt::Multiply;
  SIMT_DEVICE static float operand(float /*amax*/, float scale) { return 1.0f / scale; }
};

struct VllmGroupFp8FnuzV0330 : VllmGroupFp8Fnuz {
  static constexpr const char* kContract = "vllm.group_fp8_fnuz@v0.33.0";
  using Element = simt::Multiply;
  SIMT_DEVICE static float operand(float /*amax*/, float scale) { return 1.0f / scale; }
};

struct VllmGroupFp8Ue8m0 : VllmGroupFp8 {
  static constexpr const char* kContract = "vllm.group_fp8_ue8m0";
  SIMT_DEVICE static float scale(float amax) {
    return simt::exp2(simt::ceil(simt::log2(simt::max_number(amax / 448.0f, 1e-10f))));
  }
};

struct VllmGroupFp8Packed : VllmGroupFp8 {
  static constexpr const char* kContract = "vllm.group_fp8_packed";
  static constexpr bool kPacked = true;
  using Element = simt::Multiply;
  SIMT_DEVICE static float scale(float amax) { return pow2_ceil(simt::max_number(over_constant(amax, 448.0f), 1e-10f)); }
  SIMT_DEVICE static float operand(float /*amax*/, float scale) { return pow2_reciprocal(scale); }
};

/// vLLM's fallback in Triton. tl.clamp has run-time limits here, so it takes the maximum first, which maps NaN to -448.
struct VllmGroupTriton : VllmGroupFp8 {
  static constexpr const char* kContract = "vllm.group_triton";
};

struct VllmGroupTritonUe8m0 : VllmGroupTriton {
  static constexpr const char* kContract = "vllm.group_triton_ue8m0";
  SIMT_DEVICE static float scale(float amax) { return simt::exp2(simt::ceil(simt::log2(amax / 448.0f))); }
};

/// Multiplies by 1/448. With constant limits, Triton compiles tl.clamp to a minimum of magnitudes, which maps NaN to +448.
struct VllmGroupTritonV0190 : VllmGroupTriton {
  static constexpr const char* kContract = "vllm.group_triton@v0.19.0";
  SIMT_DEVICE static float scale(float amax) { return amax * (1.0f / 448.0f); }
  SIMT_DEVICE static float clamp(float v) { return clamp_min_max(v, 448.0f); }
};

struct VllmGroupTritonUe8m0V0190 : VllmGroupTritonV0190 {
  static constexpr const char* kContract = "vllm.group_triton_ue8m0@v0.19.0";
  SIMT_DEVICE static float scale(float amax) { return simt::exp2(simt::ceil(simt::log2(amax * (1.0f / 448.0f)))); }
};

/// vLLM's fallback in torch, on the CPU: the scale has a lower limit, amax has none. torch's amax and clamp do not drop NaN.
struct VllmGroupNative : GroupRules {
  static constexpr const char* kContract = "vllm.group_native";
  static constexpr bool kDropsNan = false;
  SIMT_DEVICE static float widest(float a, float b) { return simt::max_or_nan(a, b); }
  SIMT_DEVICE static float amax(float widest) { return widest; }
  SIMT_DEVICE static float scale(float amax) { return simt::max_or_nan(amax / 448.0f, kLeastScale); }
  SIMT_DEVICE static float clamp(float v) { return clamp_keep(v, 448.0f); }
};

/// torchao's float8 quantization of rows. torch rounds amax / 448 to X, the type of x. A row of zeros has scale 0.
/// Source: torchao/quantization/quant_primitives.py v0.18.0, _choose_scale_float8 and _quantize_affine_float8.
template <class X>
struct TorchaoFloat8PerRow : VllmGroupNative {
  static constexpr const char* kContract = "torchao.float8_per_row";
  using Element = simt::DivideEach;
  SIMT_DEVICE static float scale(float amax) { return simt::to_float(simt::from_float<X>(amax / 448.0f)); }
};

/// On a GPU, torch replaces a division by a Python number by a multiplication with its reciprocal, here 1/448.
struct VllmGroupNativeGpu : VllmGroupNative {
  static constexpr const char* kContract = "vllm.group_native_gpu";
  SIMT_DEVICE static float scale(float amax) { return simt::max_or_nan(amax * (1.0f / 448.0f), kLeastScale); }
};

/// Rounds amax / 448 up to a power of two, then applies the lower limit, which is not a power of two.
struct VllmGroupNativeUe8m0 : VllmGroupNative {
  static constexpr const char* kContract = "vllm.group_native_ue8m0";
  SIMT_DEVICE static float scale(float amax) {
    return simt::max_or_nan(simt::exp2(simt::ceil(simt::log2(amax / 448.0f))), kLeastScale);
  }
};

/// Applies the lower limit to amax / 448, then rounds up to a power of two.
struct VllmGroupNativeUe8m0V0330 : VllmGroupNativeGpu {
  static constexpr const char* kContract = "vllm.group_native_ue8m0@v0.33.0";
  SIMT_DEVICE static float scale(float amax) {
    return simt::exp2(simt::ceil(simt::log2(VllmGroupNativeGpu::scale(amax))));
  }
};

/// Dynamic per-token quantization: a row is one group.
struct VllmPerToken : GroupRules {
  static constexpr const char* kContract = "vllm.per_token";
  static constexpr bool kSaturates = true;
  SIMT_DEVICE static float amax(float widest) { return widest; }
  SIMT_DEVICE static float scale(float amax) { return simt::max_number(over_constant(amax, 448.0f), kLeastScale); }
  SIMT_DEVICE static float clamp(float v) { return clamp_min_max(v, 448.0f); }
};

/// scale_ub is an upper limit of amax. The scale then belongs to a smaller amax, so x / s may exceed 448 and may be Inf.
struct VllmPerTokenUb : VllmPerToken {
  using Element = simt::DivideEach;
  static constexpr const char* kContract = "vllm.per_token_ub";
  static constexpr bool kBounded = true;
  SIMT_DEVICE static float scale_within(float amax, float scale_ub) { return scale(simt::min_number(amax, scale_ub)); }
};

struct VllmPerTokenFnuz : VllmPerToken {
  static constexpr const char* kContract = "vllm.per_token_fnuz";
  using Code = E4m3fnuzSat;
  SIMT_DEVICE static float scale(float amax) { return simt::max_number(amax / 224.0f, 1.0f / (224.0f * 512.0f)); }
  SIMT_DEVICE static float clamp(float v) { return clamp_min_max(v, 224.0f); }
};

/// vLLM's fallback for per-token quantization in torch, on the CPU.
struct VllmPerTokenNative : VllmGroupNative {
  static constexpr const char* kContract = "vllm.per_token_native";
  using Element = simt::Multiply;
  SIMT_DEVICE static float operand(float /*amax*/, float scale) { return 1.0f / scale; }
};

struct VllmPerTokenNativeGpu : VllmGroupNativeGpu {
  static constexpr const char* kContract = "vllm.per_token_native_gpu";
  using Element = simt::Multiply;
  SIMT_DEVICE static float operand(float /*amax*/, float scale) { return 1.0f / scale; }
};

using VllmGroupList = RulesList<VllmGroupFp8, VllmGroupFp8V0330, VllmGroupFp8Fnuz, VllmGroupFp8FnuzV0330, VllmGroupFp8Ue8m0,
                                VllmGroupFp8Packed, VllmGroupTriton, VllmGroupTritonV0190, VllmGroupTritonUe8m0,
                                VllmGroupTritonUe8m0V0190, VllmGroupNative, VllmGroupNativeGpu, VllmGroupNativeUe8m0,
                                VllmGroupNativeUe8m0V0330>;

// Group quantization of SGLang, AITER and DeepGEMM.
// Source: sgl-kernel/csrc/gemm/per_token_group_quant_8bit.cu (9e738dba, 00568d90); sglang
// jit_kernel/csrc/gemm/per_token_group_quant_8bit.cuh (v0.5.10.post1), kernels/jit/csrc/gemm/per_token_group_quant.cuh (v0.5.17);
// aiter csrc/kernels/quant_kernels.cu (e4048607); DeepGEMM deep_gemm/utils/math.py (54e22612).

/// Computes the scale and the multiplier each from amax, so their product may differ from 1. Does not clamp, so NaN stays NaN.
struct SglangGroup8bit : GroupRules {
  static constexpr const char* kContract = "sglang.group_8bit";
  using Element = simt::Multiply;
  SIMT_DEVICE static float amax(float widest) { return simt::max_number(widest, 1e-10f); }
  SIMT_DEVICE static float scale(float amax) { return amax * (1.0f / 448.0f); }
  SIMT_DEVICE static float operand(float amax, float /*scale*/) { return 448.0f / amax; }
};

/// The kernel that sglang compiles at its first use, without fast math.
struct SglangGroup8bitJit : GroupRules {
  static constexpr const char* kContract = "sglang.group_8bit_jit";
  static constexpr bool kSaturates = true;
  SIMT_DEVICE static float amax(float widest) { return simt::max_number(widest, 1e-10f); }
  SIMT_DEVICE static float scale(float amax) { return over_constant(amax, 448.0f); }
  /// The source clamps to -448 .. 448. The saturating cast has the same upper limit, so max(v, -448) is enough.
  SIMT_DEVICE static float clamp(float v) { return simt::max_number(v, -448.0f); }
};

/// Compiled with fast math again, unlike group_8bit_jit. The clamp is a minimum only, which maps NaN to 448.
struct SglangGroup8bitV0517 : SglangGroup8bit {
  static constexpr const char* kContract = "sglang.group_8bit@v0.5.17";
  SIMT_DEVICE static float clamp(float v) { return simt::min_number(v, 448.0f); }
};

/// sgl-kernel (9e738dba), compiled with fast math, which allows several quotients. This kernel returns the correctly rounded one.
struct SglKernelGroup8bit : SglangGroup8bitJit {
  static constexpr const char* kContract = "sgl_kernel.group_8bit";
};

/// A row's last word holds fewer than four scales if groups % 4 != 0. The other bytes of that word are not written.
struct SglKernelGroup8bitUe8m0 : SglangGroup8bitJit {
  static constexpr const char* kContract = "sgl_kernel.group_8bit_ue8m0";
  static constexpr bool kPacked = true;
  static constexpr bool kWritesPadding = false;
  SIMT_DEVICE static float scale(float amax) {
    return simt::exp2(simt::ceil(simt::log2(simt::max_number(over_constant(amax, 448.0f), 1e-10f))));
  }
};

/// The kernel of a release between versions 1 and 2. It does not write the unused bytes of a row's last word of scales.
struct SglangGroup8bitUe8m0 : SglangGroup8bit {
  static constexpr const char* kContract = "sglang.group_8bit_ue8m0";
  static constexpr bool kPacked = true;
  static constexpr bool kWritesPadding = false;
  SIMT_DEVICE static float scale(float amax) { return pow2_ceil(amax * (1.0f / 448.0f)); }
  /// If amax is Inf, so is the scale. The source's multiplier fast_pow2(-128) then has the bits of -Inf.
  SIMT_DEVICE static float operand(float /*amax*/, float scale) {
    return simt::from_bits(simt::bits(scale) == 0x7f800000u ? 0xff800000u : simt::bits(1.0f / scale));
  }
};

/// Version 2: clamps by max, then min.
/// Source: per_token_group_quant_8bit_v2.cuh (v0.5.15).
struct SglangGroup8bitV2 : SglangGroup8bit {
  static constexpr const char* kContract = "sglang.group_8bit_v2";
  SIMT_DEVICE static float clamp(float v) { return clamp_max_min(v, 448.0f); }
};

/// Writes zeros to the unused bytes of a row's last word of scales, but does not write padding rows.
struct SglangGroup8bitV2Ue8m0 : SglangGroup8bitUe8m0 {
  static constexpr const char* kContract = "sglang.group_8bit_v2_ue8m0";
  static constexpr bool kWritesPadding = true;
  static constexpr bool kWritesRows = false;
  SIMT_DEVICE static float clamp(float v) { return clamp_max_min(v, 448.0f); }
};

/// Version 2 with row-major fp32 scales.
struct SglangGroup8bitV2Ue8m0F32 : SglangGroup8bitV2 {
  static constexpr const char* kContract = "sglang.group_8bit_v2_ue8m0_f32";
  SIMT_DEVICE static float scale(float amax) { return SglangGroup8bitUe8m0::scale(amax); }
  SIMT_DEVICE static float operand(float amax, float scale) { return SglangGroup8bitUe8m0::operand(amax, scale); }
};

/// v * factor, rounded to bf16.
struct Bf16Multiply {
  float factor;
  SIMT_DEVICE explicit Bf16Multiply(float m) : factor(m) {}
  SIMT_DEVICE float operator()(float v) const { return simt::to_float(simt::from_float<simt::Bf16>(v * factor)); }
};

/// For bf16 inputs. Source: per_token_group_quant.cuh (v0.5.17).
struct SglangGroup8bitUe8m0V0517 : SglangGroup8bitV2Ue8m0 {
  static constexpr const char* kContract = "sglang.group_8bit_ue8m0@v0.5.17";
  using Element = Bf16Multiply;
  SIMT_DEVICE static float clamp(float v) { return simt::min_number(v, 448.0f); }
};

/// Since v0.5.23 there is no clamp: a bf16 NaN stays NaN, and the cast saturates all other values.
struct SglangGroup8bitUe8m0V0523 : SglangGroup8bitUe8m0V0517 {
  static constexpr const char* kContract = "sglang.group_8bit_ue8m0@v0.5.23";
  SIMT_DEVICE static float clamp(float v) { return v; }
};
struct SglangGroup8bitV0523 : SglangGroup8bit {
  static constexpr const char* kContract = "sglang.group_8bit@v0.5.23";
};

/// v * factor, rounded to fp16. The factor is rounded to fp16 too: a factor of 2^16 or more is Inf.
struct HalfMultiply {
  float factor;
  SIMT_DEVICE explicit HalfMultiply(float m) : factor(simt::to_float(simt::from_float<simt::F16>(m))) {}
  SIMT_DEVICE float operator()(float v) const { return simt::to_float(simt::from_float<simt::F16>(v * factor)); }
};

/// For fp16 inputs. Source: per_token_group_quant.cuh (v0.5.17 and v0.5.23).
struct SglangGroup8bitUe8m0F16 : SglangGroup8bitUe8m0V0517 {
  static constexpr const char* kContract = "sglang.group_8bit_ue8m0_f16";
  using Element = HalfMultiply;
};

/// The clamp is v_med3_f32, which maps NaN to the lower limit -448, as max followed by min does.
struct AiterPer1x128 : GroupRules {
  static constexpr const char* kContract = "aiter.per_1x128";
  using Element = simt::Multiply;
  SIMT_DEVICE static float amax(float widest) { return simt::max_number(widest, 1e-10f); }
  SIMT_DEVICE static float scale(float amax) { return amax * (1.0f / 448.0f); }
  SIMT_DEVICE static float operand(float /*amax*/, float scale) { return 1.0f / scale; }
  SIMT_DEVICE static float clamp(float v) { return clamp_max_min(v, 448.0f); }
};

struct AiterPer1x128Fnuz : AiterPer1x128 {
  static constexpr const char* kContract = "aiter.per_1x128_fnuz";
  using Code = E4m3fnuzSat;
  SIMT_DEVICE static float scale(float amax) { return amax * (1.0f / 240.0f); }
  SIMT_DEVICE static float clamp(float v) { return clamp_max_min(v, 240.0f); }
};

/// transpose_scale=True: scales are stored column-major, although the tensor's shape and strides are those of row-major scales.
template <class Base>
struct TransposeScale : Base {
  SIMT_DEVICE static int64_t place(const ScalesOut& out, int64_t r, int64_t g) { return g * out.rows + r; }
};

struct AiterPer1x128TransposeScale : TransposeScale<AiterPer1x128> {
  static constexpr const char* kContract = "aiter.per_1x128_transpose_scale";
};

struct AiterPer1x128TransposeScaleFnuz : TransposeScale<AiterPer1x128Fnuz> {
  static constexpr const char* kContract = "aiter.per_1x128_transpose_scale_fnuz";
};

/// v * factor, where a subnormal v is flushed to zero first.
struct FlushingMultiply {
  float factor;
  SIMT_DEVICE explicit FlushingMultiply(float m) : factor(m) {}
  SIMT_DEVICE float operator()(float v) const { return flushed(v) * factor; }
};

/// Scales have no lower limit, and subnormal scales are flushed to 0. A row of zeros or tiny values stores scale 0, and its
/// elements are multiplied by 1 / 0. v_rcp_f32 may be off by an ulp; this kernel uses the rounded quotient, which is allowed.
struct AiterPerToken : AiterPer1x128 {
  static constexpr const char* kContract = "aiter.per_token";
  using Element = FlushingMultiply;
  SIMT_DEVICE static float amax(float widest) { return widest; }
  SIMT_DEVICE static float scale(float amax) { return flushed(AiterPer1x128::scale(amax)); }
};

struct AiterPerTokenFnuz : AiterPer1x128Fnuz {
  static constexpr const char* kContract = "aiter.per_token_fnuz";
  using Element = FlushingMultiply;
  SIMT_DEVICE static float amax(float widest) { return widest; }
  SIMT_DEVICE static float scale(float amax) { return flushed(AiterPer1x128Fnuz::scale(amax)); }
};

/// Implemented in torch: amax and its lower limit do not drop NaN. Elements are not clamped, and the cast does not saturate.
struct DeepgemmPerTokenCast : GroupRules {
  static constexpr const char* kContract = "deepgemm.per_token_cast";
  using Code = E4m3fnNosat;
  using Element = simt::Multiply;
  static constexpr bool kDropsNan = false;
  SIMT_DEVICE static float widest(float a, float b) { return widest_or_nan(a, b); }
  SIMT_DEVICE static float amax(float widest) { return simt::max_or_nan(widest, 1e-4f); }
  SIMT_DEVICE static float scale(float amax) { return amax / 448.0f; }
  SIMT_DEVICE static float operand(float /*amax*/, float scale) { return 1.0f / scale; }
};

/// On a GPU, torch replaces a division by a Python number by a multiplication with its reciprocal, here 1/448.
struct DeepgemmPerTokenCastGpu : DeepgemmPerTokenCast {
  static constexpr const char* kContract = "deepgemm.per_token_cast_gpu";
  SIMT_DEVICE static float scale(float amax) { return amax * (1.0f / 448.0f); }
};

/// The exponent byte of the scale is clamped to 1..254, so an amax of Inf or NaN gives the scale 2^127.
struct DeepgemmPerTokenCastUe8m0 : DeepgemmPerTokenCast {
  static constexpr const char* kContract = "deepgemm.per_token_cast_ue8m0";
  SIMT_DEVICE static float scale(float amax) {
    const uint32_t e = exponent_ceil(amax / 448.0f);
    return simt::from_bits((e < 1u ? 1u : e > 254u ? 254u : e) << 23);
  }
};

using OtherGroupList =
    RulesList<SglangGroup8bit, SglangGroup8bitJit, SglangGroup8bitV0517, SglangGroup8bitUe8m0, SglangGroup8bitV2,
              SglangGroup8bitV2Ue8m0, SglangGroup8bitV2Ue8m0F32, SglKernelGroup8bit, SglKernelGroup8bitUe8m0, AiterPer1x128,
              AiterPer1x128Fnuz, DeepgemmPerTokenCast, DeepgemmPerTokenCastGpu, DeepgemmPerTokenCastUe8m0>;

/// Contracts for bf16 inputs only.
using Bf16GroupList = RulesList<SglangGroup8bitV0523, SglangGroup8bitUe8m0V0517, SglangGroup8bitUe8m0V0523>;

/// Contracts for fp16 inputs only.
using F16GroupList = RulesList<SglangGroup8bitUe8m0F16>;

/// Contracts whose scale layout cannot be expressed by the strides of the scale tensor.
using TransposedList = RulesList<AiterPer1x128TransposeScale, AiterPer1x128TransposeScaleFnuz>;

// Per-group and per-token quantization to int8.
// Source: vLLM csrc/quantization/w8a8/fp8/per_token_group_quant.cu (0f5257e2), utils/int8_utils.py (055e47c2),
// csrc/quantization/w8a8/int8/scaled_quant.cu (180df48e); sgl-kernel/csrc/gemm/per_token_group_quant_8bit.cu (9e738dba,
// 00568d90); aiter csrc/kernels/quant_kernels.cu (07e4337a).

/// VllmGroupFp8 with int8 codes: clamps by max, then min, then casts with truncation.
struct VllmGroupInt8 : GroupRules {
  static constexpr const char* kContract = "vllm.group_int8";
  using Code = Int8Truncated;
  SIMT_DEVICE static float amax(float widest) { return simt::max_number(widest, 1e-10f); }
  SIMT_DEVICE static float scale(float amax) { return over_constant(amax, 127.0f); }
  /// The source clamps to -128 .. 127. The saturating cast has the same upper limit, so max(v, -128) is enough.
  SIMT_DEVICE static float clamp(float v) { return simt::max_number(v, -128.0f); }
};

/// v0.33.0: divides once per group and multiplies elements by the reciprocal.
struct VllmGroupInt8V0330 : VllmGroupInt8 {
  static constexpr const char* kContract = "vllm.group_int8@v0.33.0";
  using Element = simt::Multiply;
  SIMT_DEVICE static float operand(float /*amax*/, float scale) { return 1.0f / scale; }
};

struct VllmGroupInt8Triton : VllmGroupInt8 {
  static constexpr const char* kContract = "vllm.group_int8_triton";
};

/// sgl-kernel (9e738dba), compiled with fast math, which allows several quotients. This kernel returns the correctly rounded one.
struct SglKernelGroupInt8 : VllmGroupInt8 {
  static constexpr const char* kContract = "sgl_kernel.group_int8";
};

/// Computes the scale and the multiplier each from amax, so their product may differ from 1.
struct SglangGroupInt8 : VllmGroupInt8 {
  static constexpr const char* kContract = "sglang.group_int8";
  using Element = simt::Multiply;
  SIMT_DEVICE static float scale(float amax) { return amax * (1.0f / 127.0f); }
  SIMT_DEVICE static float operand(float amax, float /*scale*/) { return 127.0f / amax; }
};

/// Does not clamp. How the source's cast converts NaN is unspecified; this kernel stores 0.
struct AiterGroupInt8 : GroupRules {
  static constexpr const char* kContract = "aiter.group_int8";
  using Code = Int8Truncated;
  using Element = simt::Multiply;
  SIMT_DEVICE static float amax(float widest) { return simt::max_number(widest, 1e-10f); }
  SIMT_DEVICE static float scale(float amax) { return amax * (1.0f / 127.0f); }
  SIMT_DEVICE static float operand(float /*amax*/, float scale) { return 1.0f / scale; }
};

/// Scales have no lower limit, and subnormal scales are flushed to 0, so a row of zeros stores scale 0. v_rcp_f32 may be off by
/// an ulp; this kernel uses the rounded quotient, which is allowed.
struct AiterPerTokenInt8 : AiterGroupInt8 {
  static constexpr const char* kContract = "aiter.per_token_int8";
  SIMT_DEVICE static float amax(float widest) { return widest; }
  SIMT_DEVICE static float scale(float amax) { return flushed(AiterGroupInt8::scale(amax)); }
};

/// Rounds by libdevice's round, ties away from zero.
struct VllmPerTokenInt8Triton : SglangGroupInt8 {
  static constexpr const char* kContract = "vllm.per_token_int8_triton";
  using Code = Int8TiesAway;
  SIMT_DEVICE static float scale(float amax) { return over_constant(amax, 127.0f); }
  SIMT_DEVICE static float clamp(float v) { return v; }
};

/// scaled_int8_quant: the multiplier is 127 / amax, or 0 for a row of zeros. Codes are rounded to nearest.
struct VllmPerTokenInt8 : GroupRules {
  static constexpr const char* kContract = "vllm.per_token_int8";
  using Code = Int8Nearest;
  using Element = simt::Multiply;
  SIMT_DEVICE static float amax(float widest) { return widest; }
  SIMT_DEVICE static float scale(float amax) { return amax / 127.0f; }
  SIMT_DEVICE static float operand(float amax, float /*scale*/) { return amax == 0.0f ? 0.0f : 127.0f / amax; }
};

struct VllmPerTokenInt8Rocm : VllmPerTokenInt8 {
  static constexpr const char* kContract = "vllm.per_token_int8_rocm";
};

using Int8GroupList =
    RulesList<VllmGroupInt8, VllmGroupInt8V0330, VllmGroupInt8Triton, SglKernelGroupInt8, SglangGroupInt8, AiterGroupInt8>;
using Int8TokenList = RulesList<VllmPerTokenInt8, VllmPerTokenInt8Rocm, VllmPerTokenInt8Triton, AiterPerTokenInt8>;

}  // namespace assay_kernels
