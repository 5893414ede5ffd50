// What a contract changes in a layer_norm kernel.
#pragma once

#include "kernels/simt/simt.h"

namespace assay_kernels {

struct LayerRules {
  static constexpr bool kOnePass = false;             ///< the squares are of x, and the square of the mean is taken off theirs
  static constexpr bool kRoundsBeforeWeight = false;  ///< what was multiplied by r to the type of x
  /// Between the warps' sums and their readers.
  SIMT_DEVICE static void published() { simt::barrier(); }
  SIMT_DEVICE static float mean(float sum, float n) { return sum / n; }
  /// What is squared, of x.
  SIMT_DEVICE static float deviation(float x, float mean) { return x - mean; }
  SIMT_DEVICE static float centered(float x, float mean) { return x - mean; }
  /// From the sum of squares.
  SIMT_DEVICE static float variance(float squares, float n, float /*mean*/) { return squares / n; }
  SIMT_DEVICE static float factor(float variance, float eps) { return simt::rsqrt(variance + eps); }
  SIMT_DEVICE static float weighted(float v, float gamma, float beta) { return v * gamma + beta; }
};

/// FlashInfer flashinfer/norm/kernels/layernorm.py (10bccd2c).
struct FlashinferLayerNorm : LayerRules {
  static constexpr const char* kContract = "flashinfer.layer_norm";
};

/// TensorRT-LLM cpp/tensorrt_llm/kernels/layernormKernels.cu (071e5d8c), generalLayerNorm.
struct TrtllmLayerNorm : LayerRules {
  static constexpr const char* kContract = "trtllm.layer_norm";
};

/// The same with USE_DIFF_OF_SQUARES.
struct TrtllmLayerNormSquares : LayerRules {
  static constexpr const char* kContract = "trtllm.layer_norm_squares";
  static constexpr bool kOnePass = true;
  SIMT_DEVICE static float variance(float squares, float n, float mean) { return squares / n - mean * mean; }
};

}  // namespace assay_kernels
