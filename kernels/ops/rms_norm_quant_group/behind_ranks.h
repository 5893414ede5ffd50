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

using NormRankTokenList = NormList<FlashinferTrtllmNormToken, AiterArToken, AiterArTokenGfx942, AiterArTokenTwoStage>;
using NormRankGroupList = NormList<FlashinferTrtllmNormPacked, AiterArPerGroup, AiterArPerGroupGfx942, AiterArPerGroupTwoStage>;

}  // namespace assay_kernels
