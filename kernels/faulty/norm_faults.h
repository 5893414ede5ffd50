// rms_norm gone wrong.
#pragma once

#include <cmath>

#include "kernels/ops/rms_norm/rules.h"

namespace assay_kernels {

/// Profile N-A where N-B is declared: the rounding to 16 bits before the weight that came and went in vLLM.
template <class Base = VllmRmsNorm20260618>
struct ExtraRoundingInNorm : Base {
  static constexpr bool kRoundsBeforeWeight = true;
};

/// The warps' sums are read before they are written.
template <class Base = VllmRmsNorm20260618>
struct MissingBarrier : Base {
  static void published() {}
};

/// Loads beyond the last full pass of the block are not read.
template <class Base = VllmRmsNorm20260618>
struct MissingTail : Base {
  static int covered(int loads, int threads) { return loads / threads * threads; }
};

template <class Base = VllmRmsNorm20260618>
struct VarianceIgnored : Base {
  static float mean(float /*sum*/, float /*n*/) { return 0.0f; }
};

template <class Base = VllmRmsNorm20260618>
struct EpsOutsideMean : Base {
  static float factor(float mean, float eps) { return 1.0f / (std::sqrt(mean) + eps); }
};

}  // namespace assay_kernels
