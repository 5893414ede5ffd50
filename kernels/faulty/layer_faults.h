// layer_norm gone wrong.
#pragma once

#include <cmath>

#include "kernels/ops/layer_norm/rules.h"

namespace assay_kernels {

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

}  // namespace assay_kernels
