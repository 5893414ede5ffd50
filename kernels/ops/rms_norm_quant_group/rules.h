// Norms in front of a quantization, and its groups: what projects share, and vLLM's.
#pragma once

#include "kernels/ops/fused_add_rms_norm/rules.h"
#include "kernels/ops/quant_group/int8.h"
#include "kernels/ops/quant_group/vllm.h"

namespace assay_kernels {

/// Rounded to 16 bits before the weight and after it: vLLM csrc/libtorch_stable/quantization/fused_kernels/layernorm_utils.cuh
/// (1051220e). A residual is added in fp32.
struct VllmDynamicNorm : NormRules {
  static constexpr bool kRoundsBeforeWeight = true;
};
struct VllmDynamicAddNorm : WideSum {
  static constexpr bool kRoundsBeforeWeight = true;
};

/// Nothing is rounded before the codes: AITER's Triton and HIP kernels (e4048607), FlashInfer's norm.cuh (fb28d724).
struct WideNorm : NormRules {
  static constexpr bool kRoundsOutput = false;
};
struct WideAddNorm : WideSum {
  static constexpr bool kRoundsOutput = false;
};

/// rms_norm_per_block_quant: a floor under the scale, none under amax; min before max, so NaN becomes +448.
struct VllmNormBlock : VllmPerToken {};
struct VllmNormBlockFnuz : VllmPerTokenFnuz {};
struct VllmNormBlockUb : VllmPerTokenUb {};

/// v0.33.0: codes are products with the reciprocal of the scale.
template <class Base>
struct ByReciprocal : Base {
  using Element = simt::Multiply;
  SIMT_DEVICE static float operand(float /*amax*/, float scale) { return 1.0f / scale; }
};

/// The reciprocal of a scale that is no less than the epsilon of fp32; to nearest.
struct VllmNormInt8 : GroupRules {
  using Code = Int8Nearest;
  using Element = simt::Multiply;
  SIMT_DEVICE static float amax(float widest) { return widest; }
  SIMT_DEVICE static float scale(float amax) { return simt::max_number(amax / 127.0f, 0x1p-23f); }
  SIMT_DEVICE static float operand(float /*amax*/, float scale) { return 1.0f / scale; }
};

template <class NormOfRow, class GroupOfRow>
struct NormThenGroup {
  using Norm = NormOfRow;
  using Group = GroupOfRow;
};

/// Upstream skips this fusion on Blackwell (vLLM PR 40552): its fused kernel knows no packed scales.
struct NormGroupPacked : NormThenGroup<VllmRmsNorm20260618, VllmGroupFp8Packed> {
  static constexpr const char* kContract = "assay.rms_norm_group_packed";
};

struct NormPerBlock : NormThenGroup<VllmDynamicNorm, VllmNormBlock> {
  static constexpr const char* kContract = "vllm.rms_norm_per_block_quant";
};
struct NormPerBlockUb : NormThenGroup<VllmDynamicNorm, VllmNormBlockUb> {
  static constexpr const char* kContract = "vllm.rms_norm_per_block_quant_ub";
};
struct NormPerBlockFnuz : NormThenGroup<VllmDynamicNorm, VllmNormBlockFnuz> {
  static constexpr const char* kContract = "vllm.rms_norm_per_block_quant_fnuz";
};
struct NormPerBlockInt8 : NormThenGroup<VllmDynamicNorm, VllmNormInt8> {
  static constexpr const char* kContract = "vllm.rms_norm_per_block_quant_int8";
};
struct AddNormPerBlock : NormThenGroup<VllmDynamicAddNorm, VllmNormBlock> {
  static constexpr const char* kContract = "vllm.add_rms_norm_per_block_quant";
};
struct NormPerBlockV0330 : NormThenGroup<VllmDynamicNorm, ByReciprocal<VllmNormBlock>> {
  static constexpr const char* kContract = "vllm.rms_norm_per_block_quant@v0.33.0";
};
struct NormPerBlockUbV0330 : NormThenGroup<VllmDynamicNorm, ByReciprocal<VllmNormBlockUb>> {
  static constexpr const char* kContract = "vllm.rms_norm_per_block_quant_ub@v0.33.0";
};
struct NormPerBlockFnuzV0330 : NormThenGroup<VllmDynamicNorm, ByReciprocal<VllmNormBlockFnuz>> {
  static constexpr const char* kContract = "vllm.rms_norm_per_block_quant_fnuz@v0.33.0";
};
struct AddNormPerBlockV0330 : NormThenGroup<VllmDynamicAddNorm, ByReciprocal<VllmNormBlock>> {
  static constexpr const char* kContract = "vllm.add_rms_norm_per_block_quant@v0.33.0";
};
struct NormPerToken : NormThenGroup<VllmDynamicNorm, VllmPerToken> {
  static constexpr const char* kContract = "vllm.rms_norm_dynamic_per_token_quant";
};
struct NormPerTokenUb : NormThenGroup<VllmDynamicNorm, VllmPerTokenUb> {
  static constexpr const char* kContract = "vllm.rms_norm_dynamic_per_token_quant_ub";
};
struct NormPerTokenFnuz : NormThenGroup<VllmDynamicNorm, VllmPerTokenFnuz> {
  static constexpr const char* kContract = "vllm.rms_norm_dynamic_per_token_quant_fnuz";
};
struct NormPerTokenInt8 : NormThenGroup<VllmDynamicNorm, VllmNormInt8> {
  static constexpr const char* kContract = "vllm.rms_norm_dynamic_per_token_quant_int8";
};
struct AddNormPerToken : NormThenGroup<VllmDynamicAddNorm, VllmPerToken> {
  static constexpr const char* kContract = "vllm.add_rms_norm_dynamic_per_token_quant";
};

using NormBlockList = NormList<NormPerBlock, NormPerBlockUb, NormPerBlockFnuz, NormPerBlockInt8, AddNormPerBlock,
                               NormPerBlockV0330, NormPerBlockUbV0330, NormPerBlockFnuzV0330, AddNormPerBlockV0330>;
using NormTokenList = NormList<NormPerToken, NormPerTokenUb, NormPerTokenFnuz, NormPerTokenInt8, AddNormPerToken>;

}  // namespace assay_kernels
