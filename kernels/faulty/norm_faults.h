// Faulty norm kernels, alone and followed by quantization. Each derives from correct rules and replaces a few lines.
#pragma once

#include <cmath>

#include "kernels/faulty/quant_faults.h"
#include "kernels/ops/call.h"
#include "kernels/ops/rms_norm/layer_norm_kernel.h"
#include "kernels/ops/rms_norm/rms_norm_kernel.h"
#include "kernels/ops/rms_norm/rms_norm_rules.h"
#include "kernels/ops/rms_norm_quant/rms_norm_quant_group_contracts.h"
#include "kernels/ops/rms_norm_quant/rms_norm_quant_group_kernel.h"
#include "kernels/ops/rms_norm_quant/rms_norm_quant_static_kernel.h"

namespace assay_kernels {

// rms_norm.

/// Rounds x * r to 16 bits, then multiplies by the weight (profile N-A); the contract rounds only the result (N-B). vLLM added
/// and later removed this rounding.
template <class Base = VllmRmsNorm20260618>
struct ExtraRoundingInNorm : Base {
  static constexpr bool kRoundsBeforeWeight = true;
};

/// Rounds only after multiplying by the weight; the contract also rounds before this multiplication.
template <class Base = VllmIrRmsNorm>
struct MissingRoundingInNorm : Base {
  static constexpr bool kRoundsBeforeWeight = false;
};

/// Race: reads the sums of the block's warps before the warps have written them.
template <class Base = VllmRmsNorm20260618>
struct MissingBarrier : Base {
  static void published() {}
};

/// Ignores the loads after the last full pass of the block over a row.
template <class Base = VllmRmsNorm20260618>
struct MissingTail : Base {
  static int covered(int n, int load, int threads) { return n / load / threads * threads * load; }
};

/// Ignores the last load of a row if it has fewer than sixteen bytes.
template <class Base = VllmRmsNorm20260618>
struct CutOffLoad : Base {
  static int covered(int n, int load, int /*threads*/) { return n / load * load; }
};

/// Assumes that the rows of x follow each other without a gap.
template <class Base = VllmRmsNorm20260618>
struct StrideIgnored : Base {
  static int64_t pitch(int64_t /*pitch*/, int32_t n) { return n; }
};

template <class Base = VllmRmsNorm20260618>
struct VarianceIgnored : Base {
  static float mean(float /*sum*/, float /*n*/) { return 0.0f; }
};

template <class Base = VllmRmsNorm20260618>
struct EpsOutsideMean : Base {
  static float factor(float mean, float eps) { return 1.0f / (std::sqrt(mean) + eps); }
};

/// Adds eps to the sum of squares before the division by n.
template <class Base = FlashinferRmsNorm>
struct EpsBeforeMean : Base {
  static float share(float eps, float n) { return eps / n; }
};

template <class Base = FlashinferRmsNorm>
struct SumNotDivided : Base {
  static float mean(float sum, float /*n*/) { return sum; }
};

/// Rounds 1 + w to the type of the weights.
template <class Base = FlashinferGemmaRmsNorm>
struct OnePlusWeightInBf16 : Base {
  static float weight(float gamma) { return simt::to_float(simt::from_float<simt::Bf16>(1.0f + gamma)); }
};

template <class Base = FlashinferGemmaRmsNorm>
struct OneForgotten : Base {
  static float weight(float gamma) { return gamma; }
};

/// Keeps subnormal weights, as in a build without fast math; the contract's build flushes them to 0.
template <class Base = FlashinferRmsNorm>
struct WeightsNotFlushed : Base {
  static float weight(float gamma) { return 0.0f + gamma; }
};

/// Does not add 0 to the weight, so a weight of -0 stays -0.
template <class Base = FlashinferRmsNormV067>
struct WeightSignKept : Base {
  static float weight(float gamma) { return gamma; }
};

/// Does not add weight_offset to the weight, like AITER before v0.1.17.
struct WeightOffsetLeftOut : AiterRmsNorm {
  static constexpr const char* kContract = AiterRmsNormV0117::kContract;
};

/// Truncates to bf16; the contract rounds to nearest.
template <class Base>
struct CutOffStore : Base {
  using Store = StoreCutOff;
};

/// Rounds to nearest; the contract truncates.
template <class Base>
struct NearestStore : Base {
  using Store = StoreNearest;
};

/// Uses the unrounded fp32 sum for squares and outputs (profile R-2); the contract rounds the sum first.
struct SumNotRounded : VllmFusedAddRmsNorm20260618 {
  static constexpr bool kSquaresRounded = false, kNormalizesRounded = false;
};

/// Uses the rounded sum for squares and outputs (profile R-1); the contract keeps the sum in fp32.
struct SumRounded : FlashinferFusedAddRmsNorm {
  static constexpr bool kSquaresRounded = true, kNormalizesRounded = true;
};

/// Computes the variance from the fp32 sum, and the outputs from the rounded sum.
struct VarianceOfUnroundedSum : VllmFusedAddRmsNorm20260618 {
  static constexpr bool kSquaresRounded = false;
};

/// Computes the outputs from the stored, rounded residual; the contract uses the fp32 sum.
struct OutputsOfStoredResidual : VllmIrFusedAddRmsNorm {
  static constexpr bool kNormalizesRounded = true;
};

/// Uses the fp32 sum in all columns. A block of the real kernel keeps only 8192 columns in fp32.
struct MixNotMade : AiterOpusFusedAddRmsNorm {
  static bool normalizes_stored(int /*column*/) { return false; }
};

struct StaleResidual : FlashinferFusedAddRmsNorm {
  static bool stores_residual() { return false; }
};

struct ResidualIgnored : AiterFusedAddRmsNorm {
  static float sum(float x, float /*residual*/) { return x; }
};

// layer_norm.

/// Computes both sums in one pass and subtracts two large numbers; the contract makes two passes.
struct LayerByDifference : TrtllmLayerNormSquares {
  static constexpr const char* kContract = FlashinferLayerNorm::kContract;
};

/// Divides by n - 1 to get the variance; the contract divides by n.
struct LayerLessOne : FlashinferLayerNorm {
  static float variance(float squares, float n, float /*mean*/) { return squares / (n - 1.0f); }
};

struct LayerEpsOutsideRoot : FlashinferLayerNorm {
  static float factor(float variance, float eps) { return 1.0f / (std::sqrt(variance) + eps); }
};

/// Rounds fp32 weights to the type of the activations.
struct LayerWeightsRounded : FlashinferLayerNorm {
  static float weighted(float v, float gamma, float beta) {
    return v * simt::to_float(simt::from_float<simt::Bf16>(gamma)) + beta;
  }
};

struct LayerBetaForgotten : FlashinferLayerNorm {
  static float weighted(float v, float gamma, float /*beta*/) { return v * gamma; }
};

/// Divides by the RMS instead of the standard deviation.
struct LayerByRms : FlashinferLayerNorm {
  static float deviation(float x, float /*mean*/) { return x; }
};

/// Rounds the normalized value to 16 bits before multiplying by the weight, as profile N-A does.
struct LayerRoundedFirst : FlashinferLayerNorm {
  static constexpr bool kRoundsBeforeWeight = true;
};

// Norms followed by quantization.

/// Rules of one op with another norm, with another quantization, or with another use of the static scale.
template <class Rules, class NormOfRow>
struct AnotherNorm : Rules {
  using Norm = NormOfRow;
};
template <class Rules, class GroupOfRow>
struct GroupAfterNorm : Rules {
  using Group = GroupOfRow;
};
template <class Rules, class GivenScale>
struct GivenAfterNorm : Rules {
  using Given = GivenScale;
};

struct BlockWithoutFloor : VllmNormBlock {
  static float scale(float amax) { return amax / 448.0f; }
};

/// Multiplies amax by 1/448; the op divides by 448.
struct BlockByReciprocal : VllmNormBlock {
  static float scale(float amax) { return simt::max_number(amax * (1.0f / 448.0f), kLeastScale); }
};

struct Block240 : VllmNormBlockFnuz {
  static float scale(float amax) { return simt::max_number(amax / 240.0f, 1.0f / (240.0f * 512.0f)); }
  static float clamp(float v) { return clamp_min_max(v, 240.0f); }
};

/// Applies scale_ub to the scale, as silu_and_mul_per_block_quant does; this op applies it to amax.
struct TokenUbOnScale : VllmPerTokenUb {
  static float scale_within(float amax, float scale_ub) {
    return simt::max_number(simt::min_number(amax / 448.0f, scale_ub), kLeastScale);
  }
};

/// Assumes that the pitch of the transposed scales is the number of rows, whatever their strides.
struct BlockPitchUnpadded : VllmNormBlock {
  static int64_t place(const ScalesOut& out, int64_t r, int64_t g) { return g * out.rows + r; }
};

/// Writes fp32 scales; the contract has packed scales.
struct PackedLater : UnmaskedPackedMantissas {
  static constexpr bool kPacked = false;
};

struct NormRoundedBeforeCodes : WideNorm {
  static constexpr bool kRoundsOutput = true;
};

/// Does not round to 16 bits before quantization, as an optimizing compiler might.
struct NormNotRoundedBeforeCodes : VllmRmsNorm20260618 {
  static constexpr bool kRoundsOutput = false;
};

/// Uses the rounded sum for squares and outputs; the contract keeps the sum in fp32.
struct AddedRounded : VllmDynamicAddNorm {
  static constexpr bool kSquaresRounded = true, kNormalizesRounded = true;
};

/// Divides by the scale; the contract multiplies by its reciprocal.
struct StaticDivides : VllmStatic {
  using Element = simt::DivideEach;
  static float operand(float /*amax*/, float scale) { return scale; }
};

struct AddedStale : VllmFusedAddRmsNormV0191 {
  static bool stores_residual() { return false; }
};

/// Multiplies by the sigmoid of the gate, as other models do; the contract multiplies by silu.
struct GatedBySigmoid : GatedWideNorm {
  static float gate(float g) { return 1.0f / (1.0f + simt::exp_fast(-g)); }
};

/// Raises every scale to at least 1e-10, as the Triton kernel of the same op does; the contract does so only if amax <= 1e-10.
struct GatedFloorUnderScale : AiterGatedGroupHip {
  static float scale(float amax) { return simt::max_number(amax / 448.0f, 1e-10f); }
};

/// Stores scale 0 for a row of zeros, as AITER's per-token quantization does.
struct NormTokenWithoutFloor : AiterPer1x128 {
  static float amax(float widest) { return widest; }
};

/// Computes the exponent from amax; the contract computes it from amax / 448.
struct NormMxNoEmax : VllmMxfp8Fused {
  static uint32_t exponent(float amax) {
    const uint32_t e = exponent_ceil(amax);
    return e < 254u ? e : 254u;
  }
};

// Rows of the kernel table for rms_norm with and without a residual.

template <class Rules>
Kernel of_norms(const char* name, const char* cites, const Values& x = kAny) {
  return {name, "rms_norm", {Rules::kContract}, {{"x", x}, {"warp", simt::kWarpSizes}}, {}, run_rms_norm<Rules>,
          name, cites,      "rms_norm"};
}

template <class Rules>
Kernel of_added_norms(const char* name, const char* cites, const Values& x = kAny) {
  return {name,  "fused_add_rms_norm", {Rules::kContract}, {{"x", x}, {"warp", simt::kWarpSizes}}, {}, run_rms_norm<Rules>, name,
          cites, "fused_add_rms_norm"};
}

}  // namespace assay_kernels
