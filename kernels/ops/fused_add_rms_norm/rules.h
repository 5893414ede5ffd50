// Norms that add a residual first. R-1: the sum is rounded to the type of x, squared and normalised. R-2: it stays fp32, and only
// what is stored is rounded. R-3: so does what a block keeps of a long row; the rest is read as it was stored.
#pragma once

#include "kernels/ops/rms_norm/rules.h"

namespace assay_kernels {

struct RoundedSum : NormRules {
  static constexpr bool kAdds = true, kSquaresRounded = true, kNormalizesRounded = true;
};
struct WideSum : NormRules {
  static constexpr bool kAdds = true;
};

/// vLLM csrc/layernorm_kernels.cu up to v0.19.1.
struct VllmFusedAddRmsNormV0191 : RoundedSum {
  static constexpr const char* kContract = "vllm.fused_add_rms_norm@v0.19.1";
  static constexpr bool kRoundsBeforeWeight = true;
};

/// vLLM csrc/libtorch_stable/layernorm_kernels.cu (0b9c5412).
struct VllmFusedAddRmsNorm20260618 : RoundedSum {
  static constexpr const char* kContract = "vllm.fused_add_rms_norm@2026-06-18";
};

/// vLLM vllm/ir/ops/layernorm.py, run eagerly.
struct VllmIrFusedAddRmsNorm : WideSum {
  static constexpr const char* kContract = "vllm.ir_fused_add_rms_norm";
  static constexpr bool kRoundsBeforeWeight = true;
};

/// Liger 0.8.5 src/liger_kernel/ops/fused_add_rms_norm.py, casting mode llama.
struct LigerFusedAddRmsNorm : PlusZero<RoundedSum> {
  static constexpr const char* kContract = "liger.fused_add_rms_norm";
  static constexpr bool kRoundsBeforeWeight = true;
};

/// FlashInfer include/flashinfer/norm.cuh (fb28d724): the sum stays in shared memory.
struct FlashinferFusedAddRmsNorm : Flushing<PlusZero<WideSum>> {
  static constexpr const char* kContract = "flashinfer.fused_add_rms_norm";
};

struct FlashinferGemmaFusedAddRmsNorm : Flushing<Gemma<WideSum>> {
  static constexpr const char* kContract = "flashinfer.gemma_fused_add_rms_norm";
};

/// FlashInfer include/flashinfer/comm/trtllm_allreduce_fusion.cuh (fb28d724): the norm behind its sum over ranks.
struct FlashinferTrtllmAddRmsNorm : Flushing<PlusZero<RoundedSum>> {
  static constexpr const char* kContract = "flashinfer.trtllm_add_rms_norm";
};

/// FlashInfer include/flashinfer/comm/trtllm_mnnvl_allreduce.cuh (fb28d724) oneshotAllreduceFusionKernel: the residual is added and
/// squares are made in the type of x.
struct FlashinferMnnvlAddRmsNorm : PlusZero<RoundedSum> {
  static constexpr const char* kContract = "flashinfer.mnnvl_add_rms_norm";
  SIMT_DEVICE static float weight(float gamma) { return PlusZero<RoundedSum>::weight(flushed(gamma)); }
  SIMT_DEVICE static float kept(float v) { return flushed(v); }
  template <class T>
  SIMT_DEVICE static float square(float z) {
    return simt::to_float(simt::from_float<T>(z * z));
  }
};

/// FlashInfer flashinfer/norm/kernels/fused_add_rmsnorm.py (fb28d724), the CuTe DSL.
struct FlashinferFusedAddRmsNormV067 : PlusZero<WideSum> {
  static constexpr const char* kContract = "flashinfer.fused_add_rms_norm@v0.6.7";
};

struct FlashinferGemmaFusedAddRmsNormV067 : Gemma<WideSum> {
  static constexpr const char* kContract = "flashinfer.gemma_fused_add_rms_norm@v0.6.7";
};

/// AITER csrc/kernels/rmsnorm_quant_kernels.cu (e4048607) on gfx950.
struct AiterFusedAddRmsNorm : Flushing<WideSum> {
  static constexpr const char* kContract = "aiter.fused_add_rms_norm";
};

struct AiterFusedAddRmsNormGfx942 : Flushing<WideSum> {
  static constexpr const char* kContract = "aiter.fused_add_rms_norm_gfx942";
  using Store = StoreCutOff;
};

/// Since v0.1.17 weight_offset, 0, is added to the weight.
struct AiterFusedAddRmsNormV0117 : Flushing<PlusZero<WideSum>> {
  static constexpr const char* kContract = "aiter.fused_add_rms_norm@v0.1.17";
};
struct AiterFusedAddRmsNormGfx942V0117 : Flushing<PlusZero<WideSum>> {
  static constexpr const char* kContract = "aiter.fused_add_rms_norm_gfx942@v0.1.17";
  using Store = StoreCutOff;
};

/// AITER csrc/include/opus/rmsnorm_opus_kernel.hpp (e4048607): four loads of 256 threads are kept in fp32.
template <int kKept>
struct MixedSum : Flushing<WideSum> {
  SIMT_DEVICE static bool normalizes_stored(int column) { return column >= kKept; }
};
struct AiterOpusFusedAddRmsNorm : MixedSum<8192> {
  static constexpr const char* kContract = "aiter.opus_fused_add_rms_norm";
};
/// Loads of one number.
struct AiterOpusFusedAddRmsNormOdd : MixedSum<1024> {
  static constexpr const char* kContract = "aiter.opus_fused_add_rms_norm_odd";
};
struct AiterOpusFusedAddRmsNormGfx942 : MixedSum<8192> {
  static constexpr const char* kContract = "aiter.opus_fused_add_rms_norm_gfx942";
  using Store = StoreCutOff;
};
/// T5 mode rounds the sum before it squares.
struct AiterOpusT5FusedAddRmsNorm : Flushing<RoundedSum> {
  static constexpr const char* kContract = "aiter.opus_t5_fused_add_rms_norm_r1";
  static constexpr bool kRoundsBeforeWeight = true;
};

}  // namespace assay_kernels
