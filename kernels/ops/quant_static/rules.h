// Static quantization, of a tensor and of groups. Sources: vLLM csrc/libtorch_stable/quantization/w8a8/fp8/common.cu (094be773),
// utils.cuh (1f89a92c), input_quant_fp8.py (014af6b5), csrc/quantization/w8a8/int8/scaled_quant.cu (180df48e); aiter
// csrc/kernels/quant_kernels.cu (e4048607).
#pragma once

#include "kernels/ops/quant_group/rules.h"

namespace assay_kernels {

/// x times the reciprocal of the scale, which is taken once.
struct StaticRules : GroupRules {
  using Element = simt::Multiply;
  SIMT_DEVICE static float operand(float /*amax*/, float scale) { return 1.0f / scale; }
};

struct VllmStatic : StaticRules {
  static constexpr const char* kContract = "vllm.static";
  SIMT_DEVICE static float clamp(float v) { return clamp_min_max(v, 448.0f); }
};

struct VllmStaticFnuz : StaticRules {
  static constexpr const char* kContract = "vllm.static_fnuz";
  using Code = E4m3fnuzSat;
  SIMT_DEVICE static float clamp(float v) { return clamp_min_max(v, 224.0f); }
};

struct VllmStaticNative : StaticRules {
  static constexpr const char* kContract = "vllm.static_native";
  SIMT_DEVICE static float clamp(float v) { return clamp_keep(v, 448.0f); }
};

/// Scales of groups: the same arithmetic, and where a scale lies is what its strides say.
template <class Base>
struct ByStrides : Base {
  static int64_t row_stride(const assay_tensor& scale) { return scale.strides[0]; }
  static int64_t group_stride(const assay_tensor& scale) { return scale.strides[1]; }
};

struct VllmStaticGroup : ByStrides<VllmStatic> {
  static constexpr const char* kContract = "vllm.static_group";
};

struct VllmStaticGroupFnuz : ByStrides<VllmStaticFnuz> {
  static constexpr const char* kContract = "vllm.static_group_fnuz";
};

/// v_rcp_f32 may be off by an ulp; the quotient here is one of its legal results. v_med3_f32 with a NaN gives the lower bound.
struct AiterStatic : StaticRules {
  static constexpr const char* kContract = "aiter.static";
  SIMT_DEVICE static float clamp(float v) { return clamp_max_min(v, 448.0f); }
};

struct AiterStaticFnuz : StaticRules {
  static constexpr const char* kContract = "aiter.static_fnuz";
  using Code = E4m3fnuzSat;
  SIMT_DEVICE static float clamp(float v) { return clamp_max_min(v, 240.0f); }
};

/// scaled_int8_quant: a true division, to nearest; -128 is reached.
struct VllmStaticInt8 : GroupRules {
  static constexpr const char* kContract = "vllm.static_int8";
  using Code = Int8Nearest;
  using Element = simt::DivideSaturating;
};

}  // namespace assay_kernels
