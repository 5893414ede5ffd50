// Norms in front of a quantization as AITER has them, gated ones among them.
#pragma once

#include "kernels/ops/quant_group/others.h"
#include "kernels/ops/rms_norm_quant_group/rms_norm_quant_group.h"

namespace assay_kernels {

/// Triton: amax / 448 where the HIP kernels multiply.
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

/// Since v0.1.17 weight_offset, 0, is added to the weight.
struct AiterHipNormV0117 : NormThenGroup<PlusZero<WideNorm>, AiterPer1x128> {
  static constexpr const char* kContract = "aiter.rmsnorm_group_quant@v0.1.17";
};

/// What is stored beside it is flushed; the norm stays fp32 up to the codes.
struct AiterFlushedAddNorm : WideAddNorm {
  SIMT_DEVICE static float sum(float x, float residual) { return flushed(WideAddNorm::sum(flushed(x), flushed(residual))); }
};
struct AiterFlushedAddNormGfx942 : AiterFlushedAddNorm {
  using Store = StoreCutOff;
};

/// AITER csrc/kernels/rmsnorm_quant_kernels.cu (e4048607), group_size 0: one scale a token.
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

using NormAiterList = NormList<AiterNorm, AiterNormFnuz, AiterAddNorm, AiterHipNorm, AiterHipNormV0117>;
using NormAiterTokenList = NormList<AiterHipNormToken, AiterHipNormTokenFnuz, AiterHipNormTokenInt8, AiterHipAddNormToken, AiterHipNormTokenV0117, AiterHipAddNormTokenV0117,
                                    AiterHipAddNormTokenGfx942, AiterGatedNormToken>;
using NormGatedList = NormList<AiterGatedNorm, AiterGatedNormFnuz, AiterHipGatedNorm, AiterHipGatedNormFnuz>;

}  // namespace assay_kernels
