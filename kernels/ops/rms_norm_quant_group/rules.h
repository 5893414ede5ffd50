// Norms in front of a quantization, and its groups.
#pragma once

#include "kernels/ops/fused_add_rms_norm/rules.h"
#include "kernels/ops/quant_group/int8.h"
#include "kernels/ops/quant_group/others.h"
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

/// Triton: amax / 448 where the HIP kernels multiply.
struct AiterNormGroup : AiterPer1x128 {
  SIMT_DEVICE static float scale(float amax) { return over_constant(amax, 448.0f); }
};
struct AiterNormGroupFnuz : AiterPer1x128Fnuz {
  SIMT_DEVICE static float scale(float amax) { return amax / 240.0f; }
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
struct AiterNorm : NormThenGroup<WideNorm, AiterNormGroup> {
  static constexpr const char* kContract = "aiter.fused_rms_fp8_group_quant";
};
struct AiterNormFnuz : NormThenGroup<WideNorm, AiterNormGroupFnuz> {
  static constexpr const char* kContract = "aiter.fused_rms_fp8_group_quant_fnuz";
};
struct AiterAddNorm : NormThenGroup<WideAddNorm, AiterNormGroup> {
  static constexpr const char* kContract = "aiter.fused_add_rms_fp8_group_quant";
};
struct AiterHipNorm : NormThenGroup<WideNorm, AiterPer1x128> {
  static constexpr const char* kContract = "aiter.rmsnorm_group_quant";
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

/// FlashInfer include/flashinfer/comm/trtllm_allreduce_fusion.cuh (fb28d724) and AITER csrc/include/custom_all_reduce.cuh
/// (e4048607): norms and codes behind their sums over ranks. Approximate divisions of FlashInfer's fast math: the quotient is one
/// of their results.
struct TrtllmToken : VllmPerToken {
  SIMT_DEVICE static float clamp(float v) { return clamp_max_min(v, 448.0f); }
};
struct TrtllmPacked : VllmGroupFp8 {
  static constexpr bool kPacked = true;
  SIMT_DEVICE static float amax(float widest) { return widest; }
  SIMT_DEVICE static float scale(float amax) { return pow2_ceil(simt::max_number(over_constant(amax, 448.0f), 1e-10f)); }
};
struct FlashinferTrtllmNormToken : NormThenGroup<FlashinferTrtllmAddRmsNorm, TrtllmToken> {
  static constexpr const char* kContract = "flashinfer.trtllm_add_rms_norm_token_fp8";
};
struct FlashinferTrtllmNormPacked : NormThenGroup<FlashinferTrtllmAddRmsNorm, TrtllmPacked> {
  static constexpr const char* kContract = "flashinfer.trtllm_add_rms_norm_group_packed";
};

/// What is stored beside it is flushed; the norm stays fp32 up to the codes.
struct AiterFlushedAddNorm : WideAddNorm {
  SIMT_DEVICE static float sum(float x, float residual) { return flushed(WideAddNorm::sum(flushed(x), flushed(residual))); }
};
struct AiterFlushedAddNormGfx942 : AiterFlushedAddNorm {
  using Store = StoreCutOff;
};
struct AiterArAddNormR1 : AiterFlushedAddNorm {
  static constexpr bool kSquaresRounded = true, kNormalizesRounded = true;
};
/// A group of zeros has the scale 1.
struct AiterArGroup : GroupRules {
  SIMT_DEVICE static float amax(float widest) { return widest == 0.0f ? 448.0f : widest; }
  SIMT_DEVICE static float scale(float amax) { return amax / 448.0f; }
};
struct AiterArGroupFnuz : GroupRules {
  using Code = E4m3fnuzSat;
  SIMT_DEVICE static float amax(float widest) { return widest == 0.0f ? 240.0f : widest; }
  SIMT_DEVICE static float scale(float amax) { return amax / 240.0f; }
};
struct AiterArToken : NormThenGroup<AiterFlushedAddNorm, AiterArGroup> {
  static constexpr const char* kContract = "aiter.ar_add_rms_norm_token_fp8";
};
struct AiterArTokenGfx942 : NormThenGroup<AiterFlushedAddNormGfx942, AiterArGroupFnuz> {
  static constexpr const char* kContract = "aiter.ar_add_rms_norm_token_fp8_gfx942";
};
struct AiterArTokenTwoStage : NormThenGroup<AiterArAddNormR1, AiterArGroup> {
  static constexpr const char* kContract = "aiter.ar_add_rms_norm_token_fp8_2stage";
};
struct AiterArPerGroup : NormThenGroup<AiterFlushedAddNorm, AiterArGroup> {
  static constexpr const char* kContract = "aiter.ar_add_rms_norm_group_fp8";
};
struct AiterArPerGroupGfx942 : NormThenGroup<AiterFlushedAddNormGfx942, AiterArGroupFnuz> {
  static constexpr const char* kContract = "aiter.ar_add_rms_norm_group_fp8_gfx942";
};
struct AiterArPerGroupTwoStage : NormThenGroup<AiterArAddNormR1, AiterArGroup> {
  static constexpr const char* kContract = "aiter.ar_add_rms_norm_group_fp8_2stage";
};

/// AITER csrc/kernels/rmsnorm_quant_kernels.cu (e4048607), group_size 0: one scale a token.
struct AiterHipNormToken : NormThenGroup<WideNorm, AiterPer1x128> {
  static constexpr const char* kContract = "aiter.rmsnorm_quant";
};
struct AiterHipNormTokenFnuz : NormThenGroup<WideNorm, AiterPer1x128Fnuz> {
  static constexpr const char* kContract = "aiter.rmsnorm_quant_fnuz";
};
struct AiterHipNormTokenInt8 : NormThenGroup<WideNorm, AiterGroupInt8> {
  static constexpr const char* kContract = "aiter.rmsnorm_quant_int8";
};
struct AiterHipAddNormToken : NormThenGroup<AiterFlushedAddNorm, AiterPer1x128> {
  static constexpr const char* kContract = "aiter.add_rmsnorm_quant";
};
struct AiterHipAddNormTokenGfx942 : NormThenGroup<AiterFlushedAddNormGfx942, AiterPer1x128Fnuz> {
  static constexpr const char* kContract = "aiter.add_rmsnorm_quant_gfx942";
};

/// AITER aiter/ops/triton/_triton_kernels/quant/fused_fp8_quant.py (e4048607), GATED_RMS_FP8: times silu(gate), and scales as
/// vLLM's by token.
struct GatedWideNorm : WideNorm {
  static constexpr bool kGates = true;
  SIMT_DEVICE static float gate(float g) { return g * (1.0f / (1.0f + simt::exp_fast(-g))); }
};
struct AiterGatedNorm : NormThenGroup<GatedWideNorm, VllmPerToken> {
  static constexpr const char* kContract = "aiter.fused_rms_gated_fp8_group_quant";
};
struct AiterGatedNormFnuz : NormThenGroup<GatedWideNorm, VllmPerTokenFnuz> {
  static constexpr const char* kContract = "aiter.fused_rms_gated_fp8_group_quant_fnuz";
};
struct AiterGatedNormToken : NormThenGroup<GatedWideNorm, VllmPerToken> {
  static constexpr const char* kContract = "aiter.fused_rms_gated_fp8_token_quant";
};

/// AITER csrc/kernels/gated_rmsnorm_quant_kernels.cu (e4048607), a head of 128 a row: a small amax has the scale 1e-10 itself.
struct AiterGatedGroupHip : AiterPer1x128 {
  SIMT_DEVICE static float amax(float widest) { return widest; }
  SIMT_DEVICE static float scale(float amax) { return amax > 1e-10f ? amax / 448.0f : 1e-10f; }
};
struct AiterGatedGroupHipFnuz : AiterPer1x128Fnuz {
  SIMT_DEVICE static float amax(float widest) { return widest; }
  SIMT_DEVICE static float scale(float amax) { return amax > 1e-10f ? amax / 240.0f : 1e-10f; }
};
struct AiterHipGatedNorm : NormThenGroup<GatedWideNorm, AiterGatedGroupHip> {
  static constexpr const char* kContract = "aiter.gated_rmsnorm_fp8_group_quant";
};
struct AiterHipGatedNormFnuz : NormThenGroup<GatedWideNorm, AiterGatedGroupHipFnuz> {
  static constexpr const char* kContract = "aiter.gated_rmsnorm_fp8_group_quant_fnuz";
};

using NormBlockList = NormList<NormPerBlock, NormPerBlockUb, NormPerBlockFnuz, NormPerBlockInt8, AddNormPerBlock,
                               NormPerBlockV0330, NormPerBlockUbV0330, NormPerBlockFnuzV0330, AddNormPerBlockV0330>;
using NormAiterList = NormList<AiterNorm, AiterNormFnuz, AiterAddNorm, AiterHipNorm>;
using NormAiterTokenList = NormList<AiterHipNormToken, AiterHipNormTokenFnuz, AiterHipNormTokenInt8, AiterHipAddNormToken,
                                    AiterHipAddNormTokenGfx942, AiterGatedNormToken>;
using NormGatedList = NormList<AiterGatedNorm, AiterGatedNormFnuz, AiterHipGatedNorm, AiterHipGatedNormFnuz>;
using NormTokenList = NormList<NormPerToken, NormPerTokenUb, NormPerTokenFnuz, NormPerTokenInt8, AddNormPerToken>;
using NormRankTokenList = NormList<FlashinferTrtllmNormToken, AiterArToken, AiterArTokenGfx942, AiterArTokenTwoStage>;
using NormRankGroupList = NormList<FlashinferTrtllmNormPacked, AiterArPerGroup, AiterArPerGroupGfx942, AiterArPerGroupTwoStage>;

}  // namespace assay_kernels
