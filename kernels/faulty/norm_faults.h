// Faulty norm kernels, alone and with a quantization behind them. Each derives from correct rules and replaces a few lines.
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

/// Profile N-A where N-B is declared: the rounding to 16 bits before the weight that came and went in vLLM.
template <class Base = VllmRmsNorm20260618>
struct ExtraRoundingInNorm : Base {
  static constexpr bool kRoundsBeforeWeight = true;
};

/// Profile N-B where N-A is declared.
template <class Base = VllmIrRmsNorm>
struct MissingRoundingInNorm : Base {
  static constexpr bool kRoundsBeforeWeight = false;
};

/// The warps' sums are read before they are written.
template <class Base = VllmRmsNorm20260618>
struct MissingBarrier : Base {
  static void published() {}
};

/// Loads beyond the last full pass of the block are not read.
template <class Base = VllmRmsNorm20260618>
struct MissingTail : Base {
  static int covered(int n, int load, int threads) { return n / load / threads * threads * load; }
};

/// What the last load of a row has less than sixteen bytes is not read.
template <class Base = VllmRmsNorm20260618>
struct CutOffLoad : Base {
  static int covered(int n, int load, int /*threads*/) { return n / load * load; }
};

/// Rows are taken to follow each other.
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

/// eps is part of what is divided by n.
template <class Base = FlashinferRmsNorm>
struct EpsBeforeMean : Base {
  static float share(float eps, float n) { return eps / n; }
};

template <class Base = FlashinferRmsNorm>
struct SumNotDivided : Base {
  static float mean(float sum, float /*n*/) { return sum; }
};

/// 1 + w rounded to the type of the weights.
template <class Base = FlashinferGemmaRmsNorm>
struct OnePlusWeightInBf16 : Base {
  static float weight(float gamma) { return simt::to_float(simt::from_float<simt::Bf16>(1.0f + gamma)); }
};

template <class Base = FlashinferGemmaRmsNorm>
struct OneForgotten : Base {
  static float weight(float gamma) { return gamma; }
};

template <class Base = FlashinferRmsNorm>
struct WeightsNotFlushed : Base {
  static float weight(float gamma) { return 0.0f + gamma; }
};

template <class Base = FlashinferRmsNormV067>
struct WeightSignKept : Base {
  static float weight(float gamma) { return gamma; }
};

/// AITER's norm as it was before v0.1.17.
struct WeightOffsetLeftOut : AiterRmsNorm {
  static constexpr const char* kContract = AiterRmsNormV0117::kContract;
};

/// bf16 cut off where the contract rounds to nearest.
template <class Base>
struct CutOffStore : Base {
  using Store = StoreCutOff;
};

/// And to nearest where the contract cuts off.
template <class Base>
struct NearestStore : Base {
  using Store = StoreNearest;
};

/// R-2 where R-1 is declared: squares and outputs of the fp32 sum.
struct SumNotRounded : VllmFusedAddRmsNorm20260618 {
  static constexpr bool kSquaresRounded = false, kNormalizesRounded = false;
};

/// R-1 where R-2 is declared.
struct SumRounded : FlashinferFusedAddRmsNorm {
  static constexpr bool kSquaresRounded = true, kNormalizesRounded = true;
};

/// The variance of the fp32 sum, and outputs of the rounded one.
struct VarianceOfUnroundedSum : VllmFusedAddRmsNorm20260618 {
  static constexpr bool kSquaresRounded = false;
};

/// The second pass reads the residual that the first one stored.
struct OutputsOfStoredResidual : VllmIrFusedAddRmsNorm {
  static constexpr bool kNormalizesRounded = true;
};

/// The fp32 sum in all columns where a block keeps 8192 of them.
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

/// Both sums in one pass where the contract has two: the difference of two large numbers.
struct LayerByDifference : TrtllmLayerNormSquares {
  static constexpr const char* kContract = FlashinferLayerNorm::kContract;
};

/// The variance of a sample.
struct LayerLessOne : FlashinferLayerNorm {
  static float variance(float squares, float n, float /*mean*/) { return squares / (n - 1.0f); }
};

struct LayerEpsOutsideRoot : FlashinferLayerNorm {
  static float factor(float variance, float eps) { return 1.0f / (std::sqrt(variance) + eps); }
};

/// fp32 weights rounded to the type of the activations.
struct LayerWeightsRounded : FlashinferLayerNorm {
  static float weighted(float v, float gamma, float beta) {
    return v * simt::to_float(simt::from_float<simt::Bf16>(gamma)) + beta;
  }
};

struct LayerBetaForgotten : FlashinferLayerNorm {
  static float weighted(float v, float gamma, float /*beta*/) { return v * gamma; }
};

/// The factor of an rms_norm.
struct LayerByRms : FlashinferLayerNorm {
  static float deviation(float x, float /*mean*/) { return x; }
};

/// What was normalized is rounded before its weight, as N-A does.
struct LayerRoundedFirst : FlashinferLayerNorm {
  static constexpr bool kRoundsBeforeWeight = true;
};

// Norms in front of a quantization.

/// The same op with another norm, another quantization, or another way of taking a given scale.
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

/// amax times 1/448 where the op divides.
struct BlockByReciprocal : VllmNormBlock {
  static float scale(float amax) { return simt::max_number(amax * (1.0f / 448.0f), kLeastScale); }
};

struct Block240 : VllmNormBlockFnuz {
  static float scale(float amax) { return simt::max_number(amax / 240.0f, 1.0f / (240.0f * 512.0f)); }
  static float clamp(float v) { return clamp_min_max(v, 240.0f); }
};

/// scale_ub bounds the scale, as it does in silu_and_mul_per_block_quant.
struct TokenUbOnScale : VllmPerTokenUb {
  static float scale_within(float amax, float scale_ub) {
    return simt::max_number(simt::min_number(amax / 448.0f, scale_ub), kLeastScale);
  }
};

/// The pitch of transposed scales is the number of rows, whatever their strides say.
struct BlockPitchUnpadded : VllmNormBlock {
  static int64_t place(const ScalesOut& out, int64_t r, int64_t g) { return g * out.rows + r; }
};

/// fp32 scales where the contract has packed ones.
struct PackedLater : UnmaskedPackedMantissas {
  static constexpr bool kPacked = false;
};

struct NormRoundedBeforeCodes : WideNorm {
  static constexpr bool kRoundsOutput = true;
};

/// The 16-bit number that the contract keeps is optimised away.
struct NormNotRoundedBeforeCodes : VllmRmsNorm20260618 {
  static constexpr bool kRoundsOutput = false;
};

struct AddedRounded : VllmDynamicAddNorm {
  static constexpr bool kSquaresRounded = true, kNormalizesRounded = true;
};

struct StaticDivides : VllmStatic {
  using Element = simt::DivideEach;
  static float operand(float /*amax*/, float scale) { return scale; }
};

struct AddedStale : VllmFusedAddRmsNormV0191 {
  static bool stores_residual() { return false; }
};

/// The sigmoid of the gate alone, which other models gate by.
struct GatedBySigmoid : GatedWideNorm {
  static float gate(float g) { return 1.0f / (1.0f + simt::exp_fast(-g)); }
};

/// A floor under the scale, as the Triton kernel of the same op has one.
struct GatedFloorUnderScale : AiterGatedGroupHip {
  static float scale(float amax) { return simt::max_number(amax / 448.0f, 1e-10f); }
};

/// A row of zeros has the scale 0, as behind AITER's quantization by token.
struct NormTokenWithoutFloor : AiterPer1x128 {
  static float amax(float widest) { return widest; }
};

/// The exponent of amax, not of amax / 448.
struct NormMxNoEmax : VllmMxfp8Fused {
  static uint32_t exponent(float amax) {
    const uint32_t e = exponent_ceil(amax);
    return e < 254u ? e : 254u;
  }
};

// Entries of describe() for rms_norm with and without a residual.

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
