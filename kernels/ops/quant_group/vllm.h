// Group quantization as vLLM does it. Sources: csrc/quantization/w8a8/fp8/per_token_group_quant.cu (0f5257e2; v0.33.0),
// csrc/quantization/utils.cuh (1f89a92c), fp8_utils.py (v0.18.1, v0.19.0), input_quant_fp8.py (v0.19.1, v0.33.0), w8a8/fp8/
// common.cu (094be773).
#pragma once

#include "kernels/ops/quant_group/rules.h"

namespace assay_kernels {

inline constexpr float kLeastScale = 1.0f / (448.0f * 512.0f);  ///< vLLM's floor on scales

struct VllmGroupFp8 : GroupRules {
  static constexpr const char* kContract = "vllm.group_fp8";
  static constexpr bool kSaturates = true;
  SIMT_DEVICE static float amax(float widest) { return simt::max_number(widest, 1e-10f); }
  SIMT_DEVICE static float scale(float amax) { return over_constant(amax, 448.0f); }
  /// max(v, -448), then min(., 448) is what the cast does by itself when it saturates.
  SIMT_DEVICE static float clamp(float v) { return simt::max_number(v, -448.0f); }
};

struct VllmGroupFp8Fnuz : VllmGroupFp8 {
  static constexpr const char* kContract = "vllm.group_fp8_fnuz";
  using Code = E4m3fnuzSat;
  SIMT_DEVICE static float scale(float amax) { return amax / 224.0f; }
  SIMT_DEVICE static float clamp(float v) { return clamp_max_min(v, 224.0f); }
};

/// v0.33.0: one division a group.
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

/// The Triton fallback: tl.clamp of bounds known at run time is max, then min.
struct VllmGroupTriton : VllmGroupFp8 {
  static constexpr const char* kContract = "vllm.group_triton";
};

struct VllmGroupTritonUe8m0 : VllmGroupTriton {
  static constexpr const char* kContract = "vllm.group_triton_ue8m0";
  SIMT_DEVICE static float scale(float amax) { return simt::exp2(simt::ceil(simt::log2(amax / 448.0f))); }
};

/// A product with 1/448; bounds that are constants make the clamp a min of magnitudes, whose NaN becomes +448.
struct VllmGroupTritonV0190 : VllmGroupTriton {
  static constexpr const char* kContract = "vllm.group_triton@v0.19.0";
  SIMT_DEVICE static float scale(float amax) { return amax * (1.0f / 448.0f); }
  SIMT_DEVICE static float clamp(float v) { return clamp_min_max(v, 448.0f); }
};

struct VllmGroupTritonUe8m0V0190 : VllmGroupTritonV0190 {
  static constexpr const char* kContract = "vllm.group_triton_ue8m0@v0.19.0";
  SIMT_DEVICE static float scale(float amax) { return simt::exp2(simt::ceil(simt::log2(amax * (1.0f / 448.0f)))); }
};

/// The fallback in torch on the CPU: no floor on amax but one on the scale; torch's amax and clamp keep NaN.
struct VllmGroupNative : GroupRules {
  static constexpr const char* kContract = "vllm.group_native";
  static constexpr bool kDropsNan = false;
  SIMT_DEVICE static float widest(float a, float b) { return simt::max_or_nan(a, b); }
  SIMT_DEVICE static float amax(float widest) { return widest; }
  SIMT_DEVICE static float scale(float amax) { return simt::max_or_nan(amax / 448.0f, kLeastScale); }
  SIMT_DEVICE static float clamp(float v) { return clamp_keep(v, 448.0f); }
};

/// torch on a GPU divides by a Python number by its reciprocal.
struct VllmGroupNativeGpu : VllmGroupNative {
  static constexpr const char* kContract = "vllm.group_native_gpu";
  SIMT_DEVICE static float scale(float amax) { return simt::max_or_nan(amax * (1.0f / 448.0f), kLeastScale); }
};

/// The floor comes after the rounding to a power of two, so the scale of a quiet group is none.
struct VllmGroupNativeUe8m0 : VllmGroupNative {
  static constexpr const char* kContract = "vllm.group_native_ue8m0";
  SIMT_DEVICE static float scale(float amax) {
    return simt::max_or_nan(simt::exp2(simt::ceil(simt::log2(amax / 448.0f))), kLeastScale);
  }
};

/// And here before it.
struct VllmGroupNativeUe8m0V0330 : VllmGroupNativeGpu {
  static constexpr const char* kContract = "vllm.group_native_ue8m0@v0.33.0";
  SIMT_DEVICE static float scale(float amax) {
    return simt::exp2(simt::ceil(simt::log2(VllmGroupNativeGpu::scale(amax))));
  }
};

/// Dynamic per-token: the group is the row.
struct VllmPerToken : GroupRules {
  static constexpr const char* kContract = "vllm.per_token";
  static constexpr bool kSaturates = true;
  SIMT_DEVICE static float amax(float widest) { return widest; }
  SIMT_DEVICE static float scale(float amax) { return simt::max_number(over_constant(amax, 448.0f), kLeastScale); }
  SIMT_DEVICE static float clamp(float v) { return clamp_min_max(v, 448.0f); }
};

/// scale_ub bounds amax, before the division: then x / s may be anything, Inf too.
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

/// The fallback of the same op in torch on the CPU.
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

}  // namespace assay_kernels
