// What a contract changes in an rms_norm kernel.
#pragma once

#include "kernels/simt/simt.h"

namespace assay_kernels {

struct NormRules {
  static constexpr bool kRoundsBeforeWeight = false;  ///< x r to the type of x, and then times gamma
  /// Between the warps' sums and their readers.
  SIMT_DEVICE static void published() { simt::barrier(); }
  /// Loads of 16 bytes that are read, of all loads of a row.
  SIMT_DEVICE static int covered(int loads, int /*threads*/) { return loads; }
  SIMT_DEVICE static float mean(float sum, float n) { return sum / n; }
  SIMT_DEVICE static float factor(float mean, float eps) { return simt::rsqrt(mean + eps); }
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

}  // namespace assay_kernels
