// rms_norm gone wrong.
#pragma once

#include <cmath>

#include "kernels/ops/fused_add_rms_norm/rules.h"
#include "kernels/ops/rms_norm/rules.h"

namespace assay_kernels {

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

}  // namespace assay_kernels
