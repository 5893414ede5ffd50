// Group quantization as SGLang, AITER and DeepGEMM do it. Sources: sgl-kernel/csrc/gemm/per_token_group_quant_8bit.cu (9e738dba,
// 00568d90); sglang jit_kernel/csrc/gemm/per_token_group_quant_8bit.cuh (v0.5.10.post1),
// kernels/jit/csrc/gemm/per_token_group_quant.cuh (v0.5.17); aiter csrc/kernels/quant_kernels.cu (e4048607); DeepGEMM
// deep_gemm/utils/math.py (54e22612).
#pragma once

#include "kernels/ops/quant_group/rules.h"

namespace assay_kernels {

/// The stored scale and the multiplier come apart from amax, so their product is not exactly one. No clamp: NaN stays NaN.
struct SglangGroup8bit : GroupRules {
  static constexpr const char* kContract = "sglang.group_8bit";
  using Element = simt::Multiply;
  SIMT_DEVICE static float amax(float widest) { return simt::max_number(widest, 1e-10f); }
  SIMT_DEVICE static float scale(float amax) { return amax * (1.0f / 448.0f); }
  SIMT_DEVICE static float operand(float amax, float /*scale*/) { return 448.0f / amax; }
};

/// Compiled when first used, without fast math.
struct SglangGroup8bitJit : GroupRules {
  static constexpr const char* kContract = "sglang.group_8bit_jit";
  static constexpr bool kSaturates = true;
  SIMT_DEVICE static float amax(float widest) { return simt::max_number(widest, 1e-10f); }
  SIMT_DEVICE static float scale(float amax) { return over_constant(amax, 448.0f); }
  /// min(., 448) is what the cast does by itself when it saturates.
  SIMT_DEVICE static float clamp(float v) { return simt::max_number(v, -448.0f); }
};

/// With fast math again; one bound, which drops NaN.
struct SglangGroup8bitV0517 : SglangGroup8bit {
  static constexpr const char* kContract = "sglang.group_8bit@v0.5.17";
  SIMT_DEVICE static float clamp(float v) { return simt::min_number(v, 448.0f); }
};

/// sgl-kernel (9e738dba): built ahead of time; the quotients here are one of the legal results of its fast math.
struct SglKernelGroup8bit : SglangGroup8bitJit {
  static constexpr const char* kContract = "sgl_kernel.group_8bit";
};

/// Bytes of absent groups stay as they were.
struct SglKernelGroup8bitUe8m0 : SglangGroup8bitJit {
  static constexpr const char* kContract = "sgl_kernel.group_8bit_ue8m0";
  static constexpr bool kPacked = true;
  static constexpr bool kWritesPadding = false;
  SIMT_DEVICE static float scale(float amax) {
    return simt::exp2(simt::ceil(simt::log2(simt::max_number(over_constant(amax, 448.0f), 1e-10f))));
  }
};

/// Between the two versions: bytes of absent groups stay as they were.
struct SglangGroup8bitUe8m0 : SglangGroup8bit {
  static constexpr const char* kContract = "sglang.group_8bit_ue8m0";
  static constexpr bool kPacked = true;
  static constexpr bool kWritesPadding = false;
  SIMT_DEVICE static float scale(float amax) { return pow2_ceil(amax * (1.0f / 448.0f)); }
  /// fast_pow2(-128), the multiplier of an amax of Inf, has the bits of -Inf.
  SIMT_DEVICE static float operand(float /*amax*/, float scale) {
    return simt::from_bits(simt::bits(scale) == 0x7f800000u ? 0xff800000u : simt::bits(1.0f / scale));
  }
};

/// The second version, per_token_group_quant_8bit_v2.cuh (v0.5.15): max, then min.
struct SglangGroup8bitV2 : SglangGroup8bit {
  static constexpr const char* kContract = "sglang.group_8bit_v2";
  SIMT_DEVICE static float clamp(float v) { return clamp_max_min(v, 448.0f); }
};

/// Zeros in the bytes of absent groups of rows that are there.
struct SglangGroup8bitV2Ue8m0 : SglangGroup8bitUe8m0 {
  static constexpr const char* kContract = "sglang.group_8bit_v2_ue8m0";
  static constexpr bool kWritesPadding = true;
  static constexpr bool kWritesRows = false;
  SIMT_DEVICE static float clamp(float v) { return clamp_max_min(v, 448.0f); }
};

/// The same where scales are fp32, row by row.
struct SglangGroup8bitV2Ue8m0F32 : SglangGroup8bitV2 {
  static constexpr const char* kContract = "sglang.group_8bit_v2_ue8m0_f32";
  SIMT_DEVICE static float scale(float amax) { return SglangGroup8bitUe8m0::scale(amax); }
  SIMT_DEVICE static float operand(float amax, float scale) { return SglangGroup8bitUe8m0::operand(amax, scale); }
};

/// v * factor as a product of bf16.
struct Bf16Multiply {
  float factor;
  SIMT_DEVICE explicit Bf16Multiply(float m) : factor(m) {}
  SIMT_DEVICE float operator()(float v) const { return simt::to_float(simt::from_float<simt::Bf16>(v * factor)); }
};

/// per_token_group_quant.cuh (v0.5.17) of bf16.
struct SglangGroup8bitUe8m0V0517 : SglangGroup8bitV2Ue8m0 {
  static constexpr const char* kContract = "sglang.group_8bit_ue8m0@v0.5.17";
  using Element = Bf16Multiply;
  SIMT_DEVICE static float clamp(float v) { return simt::min_number(v, 448.0f); }
};

/// NaN of bf16 stays since v0.5.23: the cast bounds the others by itself.
struct SglangGroup8bitUe8m0V0523 : SglangGroup8bitUe8m0V0517 {
  static constexpr const char* kContract = "sglang.group_8bit_ue8m0@v0.5.23";
  SIMT_DEVICE static float clamp(float v) { return v; }
};
struct SglangGroup8bitV0523 : SglangGroup8bit {
  static constexpr const char* kContract = "sglang.group_8bit@v0.5.23";
};

/// v * factor as a product of f16, whose factor is one too: Inf from 2^16 on.
struct HalfMultiply {
  float factor;
  SIMT_DEVICE explicit HalfMultiply(float m) : factor(simt::to_float(simt::from_float<simt::F16>(m))) {}
  SIMT_DEVICE float operator()(float v) const { return simt::to_float(simt::from_float<simt::F16>(v * factor)); }
};

/// per_token_group_quant.cuh (v0.5.17 and v0.5.23) of f16.
struct SglangGroup8bitUe8m0F16 : SglangGroup8bitUe8m0V0517 {
  static constexpr const char* kContract = "sglang.group_8bit_ue8m0_f16";
  using Element = HalfMultiply;
};

/// v_med3_f32 with a NaN gives the lower bound, as max-then-min does.
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

/// transpose_scale=True: bytes of a column-major tensor under the shape and strides of a row-major one.
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

/// v * factor of a module that flushes subnormal numbers.
struct FlushingMultiply {
  float factor;
  SIMT_DEVICE explicit FlushingMultiply(float m) : factor(m) {}
  SIMT_DEVICE float operator()(float v) const { return flushed(v) * factor; }
};

/// No floor, and subnormal scales are flushed: a row of zeros, or of almost none, stores 0, and its codes come from products with
/// Inf. v_rcp_f32 may be off by an ulp; the quotient here is one of its legal results.
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

/// torch: amax and its clamp keep NaN, the cast does not saturate, nothing is clamped.
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

/// torch on a GPU divides by a Python number by its reciprocal.
struct DeepgemmPerTokenCastGpu : DeepgemmPerTokenCast {
  static constexpr const char* kContract = "deepgemm.per_token_cast_gpu";
  SIMT_DEVICE static float scale(float amax) { return amax * (1.0f / 448.0f); }
};

/// The exponent is clamped to 1..254, so that Inf and NaN give 2^127.
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

/// Of bf16 alone.
using Bf16GroupList = RulesList<SglangGroup8bitV0523, SglangGroup8bitUe8m0V0517, SglangGroup8bitUe8m0V0523>;

/// Of f16 alone.
using F16GroupList = RulesList<SglangGroup8bitUe8m0F16>;

/// Contracts whose layout strides cannot say.
using TransposedList = RulesList<AiterPer1x128TransposeScale, AiterPer1x128TransposeScaleFnuz>;

}  // namespace assay_kernels
