// rms_norm gone wrong.
#pragma once

#include <cmath>

#include "kernels/ops/rms_norm/rules.h"

namespace assay_kernels {

/// Profile N-A where N-B is declared: the rounding to 16 bits before the weight that came and went in vLLM.
struct ExtraRoundingInNorm : VllmRmsNorm20260618 {
  static constexpr bool kRoundsBeforeWeight = true;
};

/// The warps' sums are read before they are written.
struct MissingBarrier : VllmRmsNorm20260618 {
  static void published() {}
};

/// Loads beyond the last full pass of the block are not read.
struct MissingTail : VllmRmsNorm20260618 {
  static int covered(int loads, int threads) { return loads / threads * threads; }
};

struct VarianceIgnored : VllmRmsNorm20260618 {
  static float mean(float /*sum*/, float /*n*/) { return 0.0f; }
};

struct EpsOutsideMean : VllmRmsNorm20260618 {
  static float factor(float mean, float eps) { return 1.0f / (std::sqrt(mean) + eps); }
};

}  // namespace assay_kernels
