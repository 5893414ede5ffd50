// Group quantization as SGLang, AITER and DeepGEMM do it. Sources: sgl-kernel/csrc/gemm/per_token_group_quant_8bit.cu (00568d90);
// aiter csrc/kernels/quant_kernels.cu (e4048607); DeepGEMM deep_gemm/utils/math.py (54e22612).
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

/// The first version of the kernel: bytes of absent groups stay as they were.
struct SglangGroup8bitUe8m0 : SglangGroup8bit {
  static constexpr const char* kContract = "sglang.group_8bit_ue8m0";
  static constexpr bool kPacked = true;
  static constexpr bool kWritesPadding = false;
  SIMT_DEVICE static float scale(float amax) { return pow2_ceil(amax * (1.0f / 448.0f)); }
  SIMT_DEVICE static float operand(float /*amax*/, float scale) { return 1.0f / scale; }
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

/// No floor: a row of zeros stores 0, and its codes come from 0 * Inf. v_rcp_f32 may be off by an ulp; the quotient here is one
/// of its legal results.
struct AiterPerToken : AiterPer1x128 {
  static constexpr const char* kContract = "aiter.per_token";
  SIMT_DEVICE static float amax(float widest) { return widest; }
};

struct AiterPerTokenFnuz : AiterPer1x128Fnuz {
  static constexpr const char* kContract = "aiter.per_token_fnuz";
  SIMT_DEVICE static float amax(float widest) { return widest; }
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

/// The exponent is clamped to 1..254, so that Inf and NaN give 2^127.
struct DeepgemmPerTokenCastUe8m0 : DeepgemmPerTokenCast {
  static constexpr const char* kContract = "deepgemm.per_token_cast_ue8m0";
  SIMT_DEVICE static float scale(float amax) {
    const uint32_t e = exponent_ceil(amax / 448.0f);
    return simt::from_bits((e < 1u ? 1u : e > 254u ? 254u : e) << 23);
  }
};

using OtherGroupList = RulesList<SglangGroup8bit, SglangGroup8bitUe8m0, AiterPer1x128, AiterPer1x128Fnuz, DeepgemmPerTokenCast,
                                 DeepgemmPerTokenCastUe8m0>;

/// Contracts whose layout strides cannot say.
using TransposedList = RulesList<AiterPer1x128TransposeScale, AiterPer1x128TransposeScaleFnuz>;

}  // namespace assay_kernels
