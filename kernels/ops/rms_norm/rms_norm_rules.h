// What a contract changes in an rms_norm or fused_add_rms_norm kernel: one struct per contract.
#pragma once

#include <string>
#include <vector>

#include "kernels/ops/kernel_common.h"
#include "kernels/simt/simt.h"

namespace assay_kernels {

/// fp32 to the type of x, to nearest.
struct StoreNearest {
  template <class T>
  SIMT_DEVICE static void pair(float a, float b, T& x, T& y) {
    simt::from_floats(a, b, x, y);
  }
};

/// bf16 by cutting off the low 16 bits: aiter csrc/include/opus/opus.hpp (e4048607) on gfx942.
struct StoreCutOff : StoreNearest {
  using StoreNearest::pair;
  SIMT_DEVICE static void pair(float a, float b, simt::Bf16& x, simt::Bf16& y) {
    x.bits = uint16_t(simt::bits(a) >> 16);
    y.bits = uint16_t(simt::bits(b) >> 16);
  }
};

struct NormRules {
  using Store = StoreNearest;
  static constexpr bool kRoundsBeforeWeight = false;  ///< x r to the type of x, and then times gamma
  static constexpr bool kRoundsOutput = true;         ///< before a quantization that follows
  static constexpr bool kPlainWeights = true;         ///< weight() leaves gamma as it is
  /// Between the warps' sums and their readers.
  SIMT_DEVICE static void published() { simt::barrier(); }
  /// Elements that are read, of n in a row that `threads` share in loads of so many.
  SIMT_DEVICE static int covered(int n, int /*load*/, int /*threads*/) { return n; }
  /// From a row of x to the next.
  SIMT_DEVICE static int64_t pitch(int64_t pitch, int32_t /*n*/) { return pitch; }
  SIMT_DEVICE static float mean(float sum, float n) { return sum / n; }
  /// Of a number of T or of a sum in fp32.
  template <class T>
  SIMT_DEVICE static float square(float z) {
    return z * z;
  }
  /// What is added to the mean.
  SIMT_DEVICE static float share(float eps, float /*n*/) { return eps; }
  SIMT_DEVICE static float factor(float mean, float eps) { return simt::rsqrt(mean + eps); }
  SIMT_DEVICE static float weight(float gamma) { return gamma; }
  /// An operand or a product of y, as the build treats subnormal numbers.
  SIMT_DEVICE static float kept(float v) { return v; }

  static constexpr bool kGates = false;  ///< times gate(g), g the number of a tensor of the shape of x

  // Of norms that add a residual.
  static constexpr bool kAdds = false;
  static constexpr bool kSquaresRounded = false;     ///< the sum x + residual, once it has the type of x
  static constexpr bool kNormalizesRounded = false;  ///< and what is multiplied by r
  /// Whether a column is normalised as the residual is stored, of norms that keep the sum in fp32.
  SIMT_DEVICE static bool normalizes_stored(int /*column*/) { return false; }
  SIMT_DEVICE static float sum(float x, float residual) { return x + residual; }
  SIMT_DEVICE static bool stores_residual() { return true; }
};

/// Profile N-A, rounded to 16 bits before the weight: vLLM csrc/layernorm_kernels.cu up to v0.19.1.
struct VllmRmsNormV0191 : NormRules {
  static constexpr const char* kContract = "vllm.rms_norm@v0.19.1";
  static constexpr bool kRoundsBeforeWeight = true;
};

/// Profile N-B, fp32 across the weight and rounded once: vLLM csrc/libtorch_stable/layernorm_kernels.cu since 2026-06-18 (PR
/// 46070).
struct VllmRmsNorm20260618 : NormRules {
  static constexpr const char* kContract = "vllm.rms_norm@2026-06-18";
};

/// Profile N-A: vLLM vllm/ir/ops/layernorm.py, run eagerly.
struct VllmIrRmsNorm : VllmRmsNormV0191 {
  static constexpr const char* kContract = "vllm.ir_rms_norm";
};

/// Profile N-B: vLLM csrc/minimax_reduce_rms_kernel.cu (v0.33.0), behind its sum over ranks.
struct VllmMinimaxQkRmsNorm : NormRules {
  static constexpr const char* kContract = "vllm.minimax_qk_rms_norm";
};

/// weight_bias 1, added in fp32.
template <class Base>
struct Gemma : Base {
  static constexpr bool kPlainWeights = false;
  SIMT_DEVICE static float weight(float gamma) { return 1.0f + gamma; }
};

/// GemmaRMSNorm of vLLM model_executor/layers/layernorm.py (v0.33.0), by its native op.
struct VllmGemmaRmsNorm : Gemma<NormRules> {
  static constexpr const char* kContract = "vllm.gemma_rms_norm";
};

/// vLLM model_executor/determinism/batch_invariant.py (v0.33.0). A root and a division there; rsqrt is one of their legal
/// results.
struct VllmRmsNormBatchInvariant : NormRules {
  static constexpr const char* kContract = "vllm.rms_norm_batch_invariant";
};

/// Built so that subnormal numbers are flushed.
template <class Base>
struct Flushing : Base {
  static constexpr bool kPlainWeights = false;
  SIMT_DEVICE static float weight(float gamma) { return Base::weight(flushed(gamma)); }
  SIMT_DEVICE static float kept(float v) { return flushed(v); }
  SIMT_DEVICE static float sum(float x, float residual) { return flushed(Base::sum(flushed(x), flushed(residual))); }
};

/// weight_bias 0, added in fp32: a weight of -0 becomes +0.
template <class Base>
struct PlusZero : Base {
  static constexpr bool kPlainWeights = false;
  SIMT_DEVICE static float weight(float gamma) { return 0.0f + gamma; }
};

/// Profile N-B: FlashInfer include/flashinfer/norm.cuh (fb28d724), built with -use_fast_math.
struct FlashinferRmsNorm : Flushing<PlusZero<NormRules>> {
  static constexpr const char* kContract = "flashinfer.rms_norm";
};

struct FlashinferGemmaRmsNorm : Flushing<Gemma<NormRules>> {
  static constexpr const char* kContract = "flashinfer.gemma_rms_norm";
};

/// FlashInfer flashinfer/norm/kernels/rmsnorm.py (fb28d724), the CuTe DSL.
struct FlashinferRmsNormV067 : PlusZero<NormRules> {
  static constexpr const char* kContract = "flashinfer.rms_norm@v0.6.7";
};

struct FlashinferGemmaRmsNormV067 : Gemma<NormRules> {
  static constexpr const char* kContract = "flashinfer.gemma_rms_norm@v0.6.7";
};

/// Profile N-B: AITER csrc/kernels/rmsnorm_quant_kernels.cu (e4048607) on gfx950. All modules flush.
struct AiterRmsNorm : Flushing<NormRules> {
  static constexpr const char* kContract = "aiter.rms_norm";
};

struct AiterRmsNormGfx942 : Flushing<NormRules> {
  static constexpr const char* kContract = "aiter.rms_norm_gfx942";
  using Store = StoreCutOff;
};

/// Since v0.1.17 weight_offset, 0, is added to the weight.
struct AiterRmsNormV0117 : Flushing<PlusZero<NormRules>> {
  static constexpr const char* kContract = "aiter.rms_norm@v0.1.17";
};
struct AiterRmsNormGfx942V0117 : Flushing<PlusZero<NormRules>> {
  static constexpr const char* kContract = "aiter.rms_norm_gfx942@v0.1.17";
  using Store = StoreCutOff;
};

struct AiterGemmaRmsNorm : Flushing<Gemma<NormRules>> {
  static constexpr const char* kContract = "aiter.gemma_rms_norm";
};

/// AITER csrc/include/opus/rmsnorm_opus_kernel.hpp (e4048607), T5 mode: profile N-A.
struct AiterOpusT5RmsNorm : Flushing<VllmRmsNormV0191> {
  static constexpr const char* kContract = "aiter.opus_t5_rms_norm";
};

/// A list of rules, for dispatch by the contract's id.
template <class... Rules>
struct NormList {
  /// Calls f(Rules{}) for the rules of that contract; false if there are none.
  template <class F>
  static bool with(const std::string& contract, F f) {
    return ((contract == Rules::kContract && (f(Rules{}), true)) || ...);
  }
  static std::vector<std::string> ids() { return {Rules::kContract...}; }
};

/// Liger 0.8.5 src/liger_kernel/ops/rms_norm.py, casting modes llama and gemma.
struct LigerRmsNorm : PlusZero<NormRules> {
  static constexpr const char* kContract = "liger.rms_norm";
  static constexpr bool kRoundsBeforeWeight = true;
};
struct LigerGemmaRmsNorm : Gemma<NormRules> {
  static constexpr const char* kContract = "liger.gemma_rms_norm";
};

// Norms that add a residual first. R-1: the sum is rounded to the type of x, squared and normalised. R-2: it stays fp32, and only
// what is stored is rounded. R-3: so does what a block keeps of a long row; the rest is read as it was stored.

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
