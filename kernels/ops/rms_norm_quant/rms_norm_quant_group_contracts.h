// The contracts of rms_norm_quant_group from AITER and of norms after an all-reduce, and one function per family to run them.
#pragma once

#include "kernels/ops/call.h"
#include "kernels/ops/quant_group/quant_group_contracts.h"
#include "kernels/ops/rms_norm_quant/rms_norm_quant_group_kernel.h"

namespace assay_kernels {

/// Each function runs the contract that the call names, from its own list: NormBlockList, NormAiterList, NormTokenList,
/// NormAiterTokenList, NormGatedList, NormRankTokenList, NormRankGroupList, NormRankFp4List.
void run_norm_block(const Call& call);
void run_norm_aiter(const Call& call);
void run_norm_token(const Call& call);
void run_norm_aiter_token(const Call& call);
void run_norm_gated(const Call& call);
void run_norm_rank_token(const Call& call);
void run_norm_rank_group(const Call& call);
void run_norm_rank_fp4(const Call& call);

Kernel norm_of_mx_blocks();

// AITER's norms followed by quantization, including gated ones.

/// Scales: Triton kernels divide amax by 448, HIP kernels multiply it by 1 / 448.
struct AiterNormGroup : AiterPer1x128 {
  SIMT_DEVICE static float scale(float amax) { return over_constant(amax, 448.0f); }
};
struct AiterNormGroupFnuz : AiterPer1x128Fnuz {
  SIMT_DEVICE static float scale(float amax) { return amax / 240.0f; }
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

/// Since v0.1.17, AITER adds weight_offset (0) to the weight, so a weight of -0 becomes +0.
struct AiterHipNormV0117 : NormThenGroup<PlusZero<WideNorm>, AiterPer1x128> {
  static constexpr const char* kContract = "aiter.rmsnorm_group_quant@v0.1.17";
};

/// Flushes subnormals of x, the residual and their sum. The normalized elements stay in fp32 until they are quantized.
struct AiterFlushedAddNorm : WideAddNorm {
  SIMT_DEVICE static float sum(float x, float residual) { return flushed(WideAddNorm::sum(flushed(x), flushed(residual))); }
};
struct AiterFlushedAddNormGfx942 : AiterFlushedAddNorm {
  using Store = StoreCutOff;
};

/// In AITER's call, group_size is 0, which means one scale per token.
/// Source: AITER csrc/kernels/rmsnorm_quant_kernels.cu (e4048607).
struct AiterHipNormToken : NormThenGroup<WideNorm, AiterPer1x128> {
  static constexpr const char* kContract = "aiter.rmsnorm_quant";
};
struct AiterHipNormTokenV0117 : NormThenGroup<PlusZero<WideNorm>, AiterPer1x128> {
  static constexpr const char* kContract = "aiter.rmsnorm_quant@v0.1.17";
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
struct AiterHipAddNormTokenV0117 : NormThenGroup<PlusZero<AiterFlushedAddNorm>, AiterPer1x128> {
  static constexpr const char* kContract = "aiter.add_rmsnorm_quant@v0.1.17";
};
struct AiterHipAddNormTokenGfx942 : NormThenGroup<AiterFlushedAddNormGfx942, AiterPer1x128Fnuz> {
  static constexpr const char* kContract = "aiter.add_rmsnorm_quant_gfx942";
};

/// Multiplies normalized elements by silu(gate). Scales are computed as in vLLM's per-token quantization.
/// Source: AITER aiter/ops/triton/_triton_kernels/quant/fused_fp8_quant.py (e4048607), GATED_RMS_FP8.
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

/// A row is one head of 128 elements. If amax <= 1e-10, the scale is 1e-10.
/// Source: AITER csrc/kernels/gated_rmsnorm_quant_kernels.cu (e4048607).
struct AiterGatedGroupHip : AiterPer1x128 {
  SIMT_DEVICE static float amax(float widest) { return widest; }
  SIMT_DEVICE static float scale(float amax) { return amax > 1e-10f ? amax / 448.0f : 1e-10f; }
};
struct AiterGatedGroupHipFnuz : AiterPer1x128Fnuz {
  SIMT_DEVICE static float amax(float widest) { return widest; }
  SIMT_DEVICE static float scale(float amax) { return amax > 1e-10f ? amax / 240.0f : 1e-10f; }
};
/// Multiplies by gamma before r: with huge weights only this order overflows.
struct GatedWeightFirst : GatedWideNorm {
  static constexpr bool kWeightFirst = true, kRoundsBeforeFactor = false;
};
struct AiterHipGatedNorm : NormThenGroup<GatedWeightFirst, AiterGatedGroupHip> {
  static constexpr const char* kContract = "aiter.gated_rmsnorm_fp8_group_quant";
};
struct AiterHipGatedNormFnuz : NormThenGroup<GatedWeightFirst, AiterGatedGroupHipFnuz> {
  static constexpr const char* kContract = "aiter.gated_rmsnorm_fp8_group_quant_fnuz";
};

using NormAiterList = NormList<AiterNorm, AiterNormFnuz, AiterAddNorm, AiterHipNorm, AiterHipNormV0117>;
using NormAiterTokenList = NormList<AiterHipNormToken, AiterHipNormTokenFnuz, AiterHipNormTokenInt8, AiterHipAddNormToken, AiterHipNormTokenV0117, AiterHipAddNormTokenV0117,
                                    AiterHipAddNormTokenGfx942, AiterGatedNormToken>;
using NormGatedList = NormList<AiterGatedNorm, AiterGatedNormFnuz, AiterHipGatedNorm, AiterHipGatedNormFnuz>;

// Norms with quantization after an all-reduce.

/// Quantization in norms after an all-reduce. FlashInfer's fast math divides approximately, so a contract allows several
/// quotients; this kernel returns the correctly rounded quotient.
/// Source: FlashInfer include/flashinfer/comm/trtllm_allreduce_fusion.cuh (fb28d724), AITER csrc/include/custom_all_reduce.cuh
/// (e4048607).
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

/// AITER builds this module so that it flushes subnormals to zero, in the norm as well.
struct AiterArAddNorm : Flushing<WideAddNorm> {};
struct AiterArAddNormGfx942 : AiterArAddNorm {
  using Store = StoreCutOff;
};
struct AiterArAddNormR1 : AiterArAddNorm {
  static constexpr bool kSquaresRounded = true, kNormalizesRounded = true;
};
/// Converts as v_cvt_pk_fp8_f32 does without FP16_OVFL: magnitudes >= 248 (midway between 240 and 256) become NaN.
struct E4m3fnuzNosat {
  static constexpr int kType = ASSAY_FLOAT8_E4M3FNUZ;
  SIMT_DEVICE static uint8_t encode(float v) { return simt::magnitude(v) < 248.0f ? simt::to_e4m3fnuz_sat(v) : uint8_t(0x80); }
  SIMT_DEVICE static uint32_t encode4(const float* v) { return encode4_one_by_one<E4m3fnuzNosat>(v); }
};
/// A group of zeros has scale 1; a group that holds only NaN has scale NaN. A subnormal scale is flushed to 0.
struct AiterArGroup : GroupRules {
  using Code = E4m3fnNosat;
  SIMT_DEVICE static float widest_of_none() { return simt::from_bits(0x7fc00000u); }
  SIMT_DEVICE static float amax(float widest) { return widest == 0.0f ? 448.0f : widest; }
  SIMT_DEVICE static float scale(float amax) { return flushed(amax / 448.0f); }
};
struct AiterArGroupFnuz : GroupRules {
  using Code = E4m3fnuzNosat;
  SIMT_DEVICE static float widest_of_none() { return simt::from_bits(0x7fc00000u); }
  SIMT_DEVICE static float amax(float widest) { return widest == 0.0f ? 240.0f : widest; }
  SIMT_DEVICE static float scale(float amax) { return flushed(amax / 240.0f); }
};
struct AiterArToken : NormThenGroup<AiterArAddNorm, AiterArGroup> {
  static constexpr const char* kContract = "aiter.ar_add_rms_norm_token_fp8_ftz";
};
struct AiterArTokenGfx942 : NormThenGroup<AiterArAddNormGfx942, AiterArGroupFnuz> {
  static constexpr const char* kContract = "aiter.ar_add_rms_norm_token_fp8_ftz_gfx942";
};
struct AiterArTokenTwoStage : NormThenGroup<AiterArAddNormR1, AiterArGroup> {
  static constexpr const char* kContract = "aiter.ar_add_rms_norm_token_fp8_ftz_2stage";
};
struct AiterArTokenTwoStageGfx942 : NormThenGroup<AiterArAddNormR1, AiterArGroupFnuz> {
  static constexpr const char* kContract = "aiter.ar_add_rms_norm_token_fp8_ftz_2stage_gfx942";
};
struct AiterArPerGroup : NormThenGroup<AiterArAddNorm, AiterArGroup> {
  static constexpr const char* kContract = "aiter.ar_add_rms_norm_group_fp8_ftz";
};
struct AiterArPerGroupGfx942 : NormThenGroup<AiterArAddNormGfx942, AiterArGroupFnuz> {
  static constexpr const char* kContract = "aiter.ar_add_rms_norm_group_fp8_ftz_gfx942";
};
struct AiterArPerGroupTwoStage : NormThenGroup<AiterArAddNormR1, AiterArGroup> {
  static constexpr const char* kContract = "aiter.ar_add_rms_norm_group_fp8_ftz_2stage";
};
struct AiterArPerGroupTwoStageGfx942 : NormThenGroup<AiterArAddNormR1, AiterArGroupFnuz> {
  static constexpr const char* kContract = "aiter.ar_add_rms_norm_group_fp8_ftz_2stage_gfx942";
};

struct AiterArNormMxfp4 : NormThenGroup<AiterArAddNormR1, AiterArMxfp4> {
  static constexpr const char* kContract = "aiter.ar_add_rms_norm_mxfp4_ftz";
};

using NormRankFp4List = NormList<FlashinferTrtllmNormNvfp4, AiterArNormMxfp4>;
using NormRankTokenList = NormList<FlashinferTrtllmNormToken, AiterArToken, AiterArTokenGfx942, AiterArTokenTwoStage, AiterArTokenTwoStageGfx942>;
using NormRankGroupList = NormList<FlashinferTrtllmNormPacked, AiterArPerGroup, AiterArPerGroupGfx942, AiterArPerGroupTwoStage,
                                   AiterArPerGroupTwoStageGfx942>;

}  // namespace assay_kernels
