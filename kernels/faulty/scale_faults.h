// Per-tensor, per-token and static quantization gone wrong, each as it went wrong somewhere.
#pragma once

#include "kernels/ops/quant_static/rules.h"
#include "kernels/ops/quant_tile/rules.h"

namespace assay_kernels {

/// The scale is raised from whatever was in its memory.
struct ScaleNotCleared : VllmPerTensor {
  static void clear(float* /*scale*/) {}
};

/// The scale is taken for its own inverse.
template <class Base = VllmStatic>
struct ScaleForInverse : Base {
  static float operand(float /*amax*/, float scale) { return scale; }
};

/// A parameter that is taken and never read.
struct ScaleUbIgnored : VllmPerTokenUb {
  static float scale_within(float amax, float /*scale_ub*/) { return scale(amax); }
};

/// The bound of amax as a bound of the scale.
struct ScaleUbOnScale : VllmPerTokenUb {
  static float scale_within(float amax, float scale_ub) {
    return simt::max_number(simt::min_number(amax / 448.0f, scale_ub), kLeastScale);
  }
};

/// No guard under the scale of a tensor of zeros: 0 * (1 / 0).
struct ScaleFloorMissing : VllmPerTensorNative {
  static float scale(float amax) { return amax / 448.0f; }
};

}  // namespace assay_kernels
