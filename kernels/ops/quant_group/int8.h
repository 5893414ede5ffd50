// Quantization to int8 by group and by token. Sources: vLLM csrc/quantization/w8a8/fp8/per_token_group_quant.cu (0f5257e2),
// utils/ int8_utils.py (055e47c2), csrc/quantization/w8a8/int8/scaled_quant.cu (180df48e); sgl-kernel/csrc/gemm/
// per_token_group_quant_8bit.cu (9e738dba, 00568d90); aiter csrc/kernels/quant_kernels.cu (07e4337a).
#pragma once

#include "kernels/ops/quant_group/rules.h"

namespace assay_kernels {

/// The fp8 op with other codes: max, then min, then a cast that cuts off.
struct VllmGroupInt8 : GroupRules {
  static constexpr const char* kContract = "vllm.group_int8";
  using Code = Int8Truncated;
  SIMT_DEVICE static float amax(float widest) { return simt::max_number(widest, 1e-10f); }
  SIMT_DEVICE static float scale(float amax) { return over_constant(amax, 127.0f); }
  /// min(., 127) is what the cast does by itself when it saturates.
  SIMT_DEVICE static float clamp(float v) { return simt::max_number(v, -128.0f); }
};

/// v0.33.0: one division a group.
struct VllmGroupInt8V0330 : VllmGroupInt8 {
  static constexpr const char* kContract = "vllm.group_int8@v0.33.0";
  using Element = simt::Multiply;
  SIMT_DEVICE static float operand(float /*amax*/, float scale) { return 1.0f / scale; }
};

struct VllmGroupInt8Triton : VllmGroupInt8 {
  static constexpr const char* kContract = "vllm.group_int8_triton";
};

/// sgl-kernel (9e738dba); the quotients here are one of the legal results of its fast math.
struct SglKernelGroupInt8 : VllmGroupInt8 {
  static constexpr const char* kContract = "sgl_kernel.group_int8";
};

/// The stored scale and the multiplier come apart from amax.
struct SglangGroupInt8 : VllmGroupInt8 {
  static constexpr const char* kContract = "sglang.group_int8";
  using Element = simt::Multiply;
  SIMT_DEVICE static float scale(float amax) { return amax * (1.0f / 127.0f); }
  SIMT_DEVICE static float operand(float amax, float /*scale*/) { return 127.0f / amax; }
};

/// No clamp: what a cast of NaN gives is not specified, and 0 here.
struct AiterGroupInt8 : GroupRules {
  static constexpr const char* kContract = "aiter.group_int8";
  using Code = Int8Truncated;
  using Element = simt::Multiply;
  SIMT_DEVICE static float amax(float widest) { return simt::max_number(widest, 1e-10f); }
  SIMT_DEVICE static float scale(float amax) { return amax * (1.0f / 127.0f); }
  SIMT_DEVICE static float operand(float /*amax*/, float scale) { return 1.0f / scale; }
};

/// No floor, and subnormal scales are flushed: a row of zeros stores 0. v_rcp_f32 may be off by an ulp; the quotient here is one of its legal results.
struct AiterPerTokenInt8 : AiterGroupInt8 {
  static constexpr const char* kContract = "aiter.per_token_int8";
  SIMT_DEVICE static float amax(float widest) { return widest; }
  SIMT_DEVICE static float scale(float amax) { return flushed(AiterGroupInt8::scale(amax)); }
};

/// libdevice's round: ties away from zero.
struct VllmPerTokenInt8Triton : SglangGroupInt8 {
  static constexpr const char* kContract = "vllm.per_token_int8_triton";
  using Code = Int8TiesAway;
  SIMT_DEVICE static float scale(float amax) { return over_constant(amax, 127.0f); }
  SIMT_DEVICE static float clamp(float v) { return v; }
};

/// scaled_int8_quant: the multiplier is 127 / amax, and 0 for a row of zeros; to nearest.
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
