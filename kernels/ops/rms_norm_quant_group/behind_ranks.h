// Norms and codes behind a sum over ranks.
#pragma once

#include "kernels/ops/rms_norm_quant_group/aiter.h"

namespace assay_kernels {

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

/// All of the module flushes, the norm too.
struct AiterArAddNorm : Flushing<WideAddNorm> {};
struct AiterArAddNormGfx942 : AiterArAddNorm {
  using Store = StoreCutOff;
};
struct AiterArAddNormR1 : AiterArAddNorm {
  static constexpr bool kSquaresRounded = true, kNormalizesRounded = true;
};
/// v_cvt_pk_fp8_f32 without FP16_OVFL: beyond the largest code NaN.
struct E4m3fnuzNosat {
  static constexpr int kType = ASSAY_FLOAT8_E4M3FNUZ;
  SIMT_DEVICE static uint8_t encode(float v) { return simt::magnitude(v) < 248.0f ? simt::to_e4m3fnuz_sat(v) : uint8_t(0x80); }
  SIMT_DEVICE static uint32_t encode4(const float* v) { return encode4_one_by_one<E4m3fnuzNosat>(v); }
};
/// A group of zeros has the scale 1; a subnormal scale is 0.
struct AiterArGroup : GroupRules {
  using Code = E4m3fnNosat;
  SIMT_DEVICE static float amax(float widest) { return widest == 0.0f ? 448.0f : widest; }
  SIMT_DEVICE static float scale(float amax) { return flushed(amax / 448.0f); }
};
struct AiterArGroupFnuz : GroupRules {
  using Code = E4m3fnuzNosat;
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

using NormRankTokenList = NormList<FlashinferTrtllmNormToken, AiterArToken, AiterArTokenGfx942, AiterArTokenTwoStage, AiterArTokenTwoStageGfx942>;
using NormRankGroupList = NormList<FlashinferTrtllmNormPacked, AiterArPerGroup, AiterArPerGroupGfx942, AiterArPerGroupTwoStage,
                                   AiterArPerGroupTwoStageGfx942>;

}  // namespace assay_kernels
