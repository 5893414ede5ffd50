// Dynamic per-tensor quantization. Sources: vLLM csrc/libtorch_stable/quantization/w8a8/fp8/common.cu (094be773), utils.cuh
// (1f89a92c), input_quant_fp8.py (014af6b5); aiter csrc/kernels/quant_kernels.cu (e4048607).
#pragma once

#include "kernels/ops/quant_group/vllm.h"

namespace assay_kernels {

/// No floor under the scale: a tensor of zeros stores 0, and its codes come from 0 * Inf.
struct VllmPerTensor : GroupRules {
  static constexpr const char* kContract = "vllm.per_tensor";
  using Element = simt::Multiply;
  SIMT_DEVICE static void clear(float* scale) { *scale = 0.0f; }
  SIMT_DEVICE static float scale(float amax) { return amax / 448.0f; }
  SIMT_DEVICE static float operand(float /*amax*/, float scale) { return 1.0f / scale; }
  SIMT_DEVICE static float clamp(float v) { return clamp_min_max(v, 448.0f); }
};

struct VllmPerTensorFnuz : VllmPerTensor {
  static constexpr const char* kContract = "vllm.per_tensor_fnuz";
  using Code = E4m3fnuzSat;
  SIMT_DEVICE static float scale(float amax) { return amax / 224.0f; }
  SIMT_DEVICE static float clamp(float v) { return clamp_min_max(v, 224.0f); }
};

/// torch's amax, clamp and floor keep NaN, whose pattern is above that of Inf.
struct VllmPerTensorNative : VllmPerTensor {
  static constexpr const char* kContract = "vllm.per_tensor_native";
  SIMT_DEVICE static float widest(float a, float b) { return simt::max_or_nan(a, b); }
  SIMT_DEVICE static float scale(float amax) { return simt::max_or_nan(amax / 448.0f, kLeastScale); }
  SIMT_DEVICE static float clamp(float v) { return clamp_keep(v, 448.0f); }
};

struct AiterPerTensor : VllmPerTensor {
  static constexpr const char* kContract = "aiter.per_tensor";
  SIMT_DEVICE static float scale(float amax) { return amax * (1.0f / 448.0f); }
  SIMT_DEVICE static float clamp(float v) { return clamp_max_min(v, 448.0f); }
};

struct AiterPerTensorFnuz : VllmPerTensor {
  static constexpr const char* kContract = "aiter.per_tensor_fnuz";
  using Code = E4m3fnuzSat;
  SIMT_DEVICE static float scale(float amax) { return amax * (1.0f / 240.0f); }
  SIMT_DEVICE static float clamp(float v) { return clamp_max_min(v, 240.0f); }
};

}  // namespace assay_kernels
