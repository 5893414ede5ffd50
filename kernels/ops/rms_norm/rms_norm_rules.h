// What distinguishes the contracts of rms_norm and fused_add_rms_norm: one struct per contract, which the kernel calls.
#pragma once

#include <string>
#include <vector>

#include "kernels/ops/kernel_common.h"
#include "kernels/simt/simt.h"

namespace assay_kernels {

/// Rounds fp32 to the type of x, to nearest.
struct StoreNearest {
  template <class T>
  SIMT_DEVICE static void pair(float a, float b, T& x, T& y) {
    simt::from_floats(a, b, x, y);
  }
};

/// Truncates fp32 to bf16.
/// Source: aiter csrc/include/opus/opus.hpp (e4048607) on gfx942.
struct StoreCutOff : StoreNearest {
  using StoreNearest::pair;
  SIMT_DEVICE static void pair(float a, float b, simt::Bf16& x, simt::Bf16& y) {
    x.bits = uint16_t(simt::bits(a) >> 16);
    y.bits = uint16_t(simt::bits(b) >> 16);
  }
};

struct NormRules {
  using Store = StoreNearest;
  static constexpr bool kRoundsBeforeWeight = false;  ///< rounds x * r to the type of x before multiplying by gamma
  static constexpr bool kRoundsOutput = true;         ///< rounds the output to the type of x before a quantization that follows
  static constexpr bool kWeightFirst = false;         ///< multiplies by gamma before r
  static constexpr bool kRoundsBeforeFactor = true;   ///< with kWeightFirst: rounds x * gamma to the type of x
  static constexpr bool kPlainWeights = true;         ///< weight() returns gamma unchanged
  /// Barrier between the warps' writes of their sums to shared memory and the reads of these sums.
  SIMT_DEVICE static void published() { simt::barrier(); }
  /// How many of a row's n elements are read: all, except in a deliberately wrong kernel.
  SIMT_DEVICE static int covered(int n, int /*load*/, int /*threads*/) { return n; }
  /// Distance between two rows of x, in elements: `pitch`, except in a deliberately wrong kernel.
  SIMT_DEVICE static int64_t pitch(int64_t pitch, int32_t /*n*/) { return pitch; }
  SIMT_DEVICE static float mean(float sum, float n) { return sum / n; }
  /// The square of z: an element of x, or its fp32 sum with the residual. T: the type of x.
  template <class T>
  SIMT_DEVICE static float square(float z) {
    return z * z;
  }
  /// What is added to the mean square under the root: eps, except in a deliberately wrong kernel.
  SIMT_DEVICE static float share(float eps, float /*n*/) { return eps; }
  SIMT_DEVICE static float factor(float mean, float eps) { return simt::rsqrt(mean + eps); }
  SIMT_DEVICE static float weight(float gamma) { return gamma; }
  /// Applied to the operands and products of x * r * gamma. Flushes subnormals to zero in builds that do so.
  SIMT_DEVICE static float kept(float v) { return v; }

  static constexpr bool kGates = false;  ///< true: multiplies the normalized element by gate(g); the gate tensor g has the shape of x

  // For norms that add a residual.
  static constexpr bool kAdds = false;
  static constexpr bool kSquaresRounded = false;     ///< rounds the sum x + residual to the type of x before squaring
  static constexpr bool kNormalizesRounded = false;  ///< rounds that sum before multiplying it by r
  /// For norms that keep x + residual in fp32. True if this column is normalized from the stored, rounded sum instead.
  SIMT_DEVICE static bool normalizes_stored(int /*column*/) { return false; }
  SIMT_DEVICE static float sum(float x, float residual) { return x + residual; }
  SIMT_DEVICE static bool stores_residual() { return true; }
};

/// Rounds to the type of x before multiplying by gamma, and after it (profile N-A).
/// Source: vLLM csrc/layernorm_kernels.cu up to v0.19.1.
struct VllmRmsNormV0191 : NormRules {
  static constexpr const char* kContract = "vllm.rms_norm@v0.19.1";
  static constexpr bool kRoundsBeforeWeight = true;
};

/// Computes in fp32 and rounds once, after multiplying by gamma (profile N-B).
/// Source: vLLM csrc/libtorch_stable/layernorm_kernels.cu since 2026-06-18 (PR 46070).
struct VllmRmsNorm20260618 : NormRules {
  static constexpr const char* kContract = "vllm.rms_norm@2026-06-18";
};

/// Profile N-A, executed eagerly by torch.
/// Source: vLLM vllm/ir/ops/layernorm.py.
struct VllmIrRmsNorm : VllmRmsNormV0191 {
  static constexpr const char* kContract = "vllm.ir_rms_norm";
};

/// The norm after an all-reduce, with profile N-B.
/// Source: vLLM csrc/minimax_reduce_rms_kernel.cu (v0.33.0).
struct VllmMinimaxQkRmsNorm : NormRules {
  static constexpr const char* kContract = "vllm.minimax_qk_rms_norm";
};

/// Adds 1 (weight_bias) to gamma, in fp32.
template <class Base>
struct Gemma : Base {
  static constexpr bool kPlainWeights = false;
  SIMT_DEVICE static float weight(float gamma) { return 1.0f + gamma; }
};

/// GemmaRMSNorm, as a native op.
/// Source: vLLM model_executor/layers/layernorm.py (v0.33.0).
struct VllmGemmaRmsNorm : Gemma<NormRules> {
  static constexpr const char* kContract = "vllm.gemma_rms_norm";
};

/// The source divides by a square root. The contract allows the results of several roundings; the result of rsqrt is one of them.
/// Source: vLLM model_executor/determinism/batch_invariant.py (v0.33.0).
struct VllmRmsNormBatchInvariant : NormRules {
  static constexpr const char* kContract = "vllm.rms_norm_batch_invariant";
};

/// Base, in a build that flushes subnormals to zero.
template <class Base>
struct Flushing : Base {
  static constexpr bool kPlainWeights = false;
  SIMT_DEVICE static float weight(float gamma) { return Base::weight(flushed(gamma)); }
  SIMT_DEVICE static float kept(float v) { return flushed(v); }
  SIMT_DEVICE static float sum(float x, float residual) { return flushed(Base::sum(flushed(x), flushed(residual))); }
};

/// Adds 0 (the source's weight_bias) to gamma, in fp32: a gamma of -0 becomes +0.
template <class Base>
struct PlusZero : Base {
  static constexpr bool kPlainWeights = false;
  SIMT_DEVICE static float weight(float gamma) { return 0.0f + gamma; }
};

/// Profile N-B, built with -use_fast_math.
/// Source: FlashInfer include/flashinfer/norm.cuh (fb28d724).
struct FlashinferRmsNorm : Flushing<PlusZero<NormRules>> {
  static constexpr const char* kContract = "flashinfer.rms_norm";
};

struct FlashinferGemmaRmsNorm : Flushing<Gemma<NormRules>> {
  static constexpr const char* kContract = "flashinfer.gemma_rms_norm";
};

/// The CuTe DSL kernel.
/// Source: FlashInfer flashinfer/norm/kernels/rmsnorm.py (fb28d724).
struct FlashinferRmsNormV067 : PlusZero<NormRules> {
  static constexpr const char* kContract = "flashinfer.rms_norm@v0.6.7";
};

struct FlashinferGemmaRmsNormV067 : Gemma<NormRules> {
  static constexpr const char* kContract = "flashinfer.gemma_rms_norm@v0.6.7";
};

/// A norm before FP4 quantization: x * gamma is rounded to the type of x, and its product with r stays in fp32.
/// Source: FlashInfer flashinfer/cute_dsl/rmsnorm_fp4quant.py (fb28d724).
struct FlashinferProductFirst : NormRules {
  static constexpr bool kWeightFirst = true, kRoundsOutput = false;
};

/// Profile N-B on gfx950. All AITER modules flush subnormals to zero.
/// Source: AITER csrc/kernels/rmsnorm_quant_kernels.cu (e4048607).
struct AiterRmsNorm : Flushing<NormRules> {
  static constexpr const char* kContract = "aiter.rms_norm";
};

struct AiterRmsNormGfx942 : Flushing<NormRules> {
  static constexpr const char* kContract = "aiter.rms_norm_gfx942";
  using Store = StoreCutOff;
};

/// Since v0.1.17, AITER adds weight_offset (0) to the weight, so a weight of -0 becomes +0.
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

/// T5 mode, profile N-A.
/// Source: AITER csrc/include/opus/rmsnorm_opus_kernel.hpp (e4048607).
struct AiterOpusT5RmsNorm : Flushing<VllmRmsNormV0191> {
  static constexpr const char* kContract = "aiter.opus_t5_rms_norm";
};

/// A list of rules, selected by the contract's id.
template <class... Rules>
struct NormList {
  /// Calls f(Rules{}) for the rules of the contract. Returns false if the list has none.
  template <class F>
  static bool with(const std::string& contract, F f) {
    return ((contract == Rules::kContract && (f(Rules{}), true)) || ...);
  }
  static std::vector<std::string> ids() { return {Rules::kContract...}; }
};

/// Liger's casting modes llama and gemma.
/// Source: Liger 0.8.5 src/liger_kernel/ops/rms_norm.py.
struct LigerRmsNorm : PlusZero<NormRules> {
  static constexpr const char* kContract = "liger.rms_norm";
  static constexpr bool kRoundsBeforeWeight = true;
};
struct LigerGemmaRmsNorm : Gemma<NormRules> {
  static constexpr const char* kContract = "liger.gemma_rms_norm";
};

// Norms that first add a residual. R-1: the sum is rounded to the type of x, then squared and normalized. R-2: the unrounded fp32
// sum is squared and normalized; only the stored residual is rounded. R-3: as R-2, for the columns whose sums a block keeps in fp32.
// The other columns of a long row are normalized from the stored, rounded sum.

struct RoundedSum : NormRules {
  static constexpr bool kAdds = true, kSquaresRounded = true, kNormalizesRounded = true;
};
struct WideSum : NormRules {
  static constexpr bool kAdds = true;
};

/// Source: vLLM csrc/layernorm_kernels.cu up to v0.19.1.
struct VllmFusedAddRmsNormV0191 : RoundedSum {
  static constexpr const char* kContract = "vllm.fused_add_rms_norm@v0.19.1";
  static constexpr bool kRoundsBeforeWeight = true;
};

/// Source: vLLM csrc/libtorch_stable/layernorm_kernels.cu (0b9c5412).
struct VllmFusedAddRmsNorm20260618 : RoundedSum {
  static constexpr const char* kContract = "vllm.fused_add_rms_norm@2026-06-18";
};

/// Executed eagerly by torch.
/// Source: vLLM vllm/ir/ops/layernorm.py.
struct VllmIrFusedAddRmsNorm : WideSum {
  static constexpr const char* kContract = "vllm.ir_fused_add_rms_norm";
  static constexpr bool kRoundsBeforeWeight = true;
};

/// Liger's casting mode llama.
/// Source: Liger 0.8.5 src/liger_kernel/ops/fused_add_rms_norm.py.
struct LigerFusedAddRmsNorm : PlusZero<RoundedSum> {
  static constexpr const char* kContract = "liger.fused_add_rms_norm";
  static constexpr bool kRoundsBeforeWeight = true;
};

/// The sum stays in fp32, in shared memory.
/// Source: FlashInfer include/flashinfer/norm.cuh (fb28d724).
struct FlashinferFusedAddRmsNorm : Flushing<PlusZero<WideSum>> {
  static constexpr const char* kContract = "flashinfer.fused_add_rms_norm";
};

struct FlashinferGemmaFusedAddRmsNorm : Flushing<Gemma<WideSum>> {
  static constexpr const char* kContract = "flashinfer.gemma_fused_add_rms_norm";
};

/// The norm after an all-reduce.
/// Source: FlashInfer include/flashinfer/comm/trtllm_allreduce_fusion.cuh (fb28d724).
struct FlashinferTrtllmAddRmsNorm : Flushing<PlusZero<RoundedSum>> {
  static constexpr const char* kContract = "flashinfer.trtllm_add_rms_norm";
};

/// The sum with the residual, and its squares, are computed in the type of x.
/// Source: FlashInfer include/flashinfer/comm/trtllm_mnnvl_allreduce.cuh (fb28d724) oneshotAllreduceFusionKernel.
struct FlashinferMnnvlAddRmsNorm : PlusZero<RoundedSum> {
  static constexpr const char* kContract = "flashinfer.mnnvl_add_rms_norm";
  SIMT_DEVICE static float weight(float gamma) { return PlusZero<RoundedSum>::weight(flushed(gamma)); }
  SIMT_DEVICE static float kept(float v) { return flushed(v); }
  template <class T>
  SIMT_DEVICE static float square(float z) {
    return simt::to_float(simt::from_float<T>(z * z));
  }
};

/// The CuTe DSL kernel.
/// Source: FlashInfer flashinfer/norm/kernels/fused_add_rmsnorm.py (fb28d724).
struct FlashinferFusedAddRmsNormV067 : PlusZero<WideSum> {
  static constexpr const char* kContract = "flashinfer.fused_add_rms_norm@v0.6.7";
};

/// Before FP4 quantization: squares the fp32 sum with the residual, but normalizes the rounded, stored sum.
/// Source: FlashInfer flashinfer/cute_dsl/add_rmsnorm_fp4quant.py (fb28d724).
struct FlashinferAddBeforeFp4 : WideSum {
  static constexpr bool kNormalizesRounded = true, kRoundsOutput = false;
};

struct FlashinferGemmaFusedAddRmsNormV067 : Gemma<WideSum> {
  static constexpr const char* kContract = "flashinfer.gemma_fused_add_rms_norm@v0.6.7";
};

/// The gfx950 version.
/// Source: AITER csrc/kernels/rmsnorm_quant_kernels.cu (e4048607).
struct AiterFusedAddRmsNorm : Flushing<WideSum> {
  static constexpr const char* kContract = "aiter.fused_add_rms_norm";
};

struct AiterFusedAddRmsNormGfx942 : Flushing<WideSum> {
  static constexpr const char* kContract = "aiter.fused_add_rms_norm_gfx942";
  using Store = StoreCutOff;
};

/// Since v0.1.17, AITER adds weight_offset (0) to the weight, so a weight of -0 becomes +0.
struct AiterFusedAddRmsNormV0117 : Flushing<PlusZero<WideSum>> {
  static constexpr const char* kContract = "aiter.fused_add_rms_norm@v0.1.17";
};
struct AiterFusedAddRmsNormGfx942V0117 : Flushing<PlusZero<WideSum>> {
  static constexpr const char* kContract = "aiter.fused_add_rms_norm_gfx942@v0.1.17";
  using Store = StoreCutOff;
};

/// each of 256 threads keeps the sums of four loads in fp32, together kKept columns. If kKept is 8192, a load has eight elements.
/// Source: AITER csrc/include/opus/rmsnorm_opus_kernel.hpp (e4048607).
template <int kKept>
struct MixedSum : Flushing<WideSum> {
  SIMT_DEVICE static bool normalizes_stored(int column) { return column >= kKept; }
};
struct AiterOpusFusedAddRmsNorm : MixedSum<8192> {
  static constexpr const char* kContract = "aiter.opus_fused_add_rms_norm";
};
/// With one element per load, the first 4 * 256 columns are kept in fp32.
struct AiterOpusFusedAddRmsNormOdd : MixedSum<1024> {
  static constexpr const char* kContract = "aiter.opus_fused_add_rms_norm_odd";
};
struct AiterOpusFusedAddRmsNormGfx942 : MixedSum<8192> {
  static constexpr const char* kContract = "aiter.opus_fused_add_rms_norm_gfx942";
  using Store = StoreCutOff;
};
/// T5 mode: rounds the sum to the type of x before squaring (profile R-1).
struct AiterOpusT5FusedAddRmsNorm : Flushing<RoundedSum> {
  static constexpr const char* kContract = "aiter.opus_t5_fused_add_rms_norm_r1";
  static constexpr bool kRoundsBeforeWeight = true;
};

}  // namespace assay_kernels
