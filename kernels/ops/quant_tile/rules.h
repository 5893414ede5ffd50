// Dynamic per-tensor quantization: the codes are those of static quantization by the scale that is made here. Sources: vLLM
// csrc/libtorch_stable/quantization/w8a8/fp8/common.cu (094be773), utils.cuh (1f89a92c), input_quant_fp8.py (014af6b5); aiter
// csrc/kernels/quant_kernels.cu (e4048607).
#pragma once

#include "kernels/ops/quant_group/others.h"
#include "kernels/ops/quant_group/vllm.h"
#include "kernels/ops/quant_static/rules.h"

namespace assay_kernels {

/// A scale that blocks raise from 0. It may stay 0: a tensor of zeros then has codes that come from 0 * Inf.
template <class Static>
struct MadeScale : Static {
  SIMT_DEVICE static void clear(float* scale) { *scale = 0.0f; }
};

struct VllmPerTensor : MadeScale<VllmStatic> {
  static constexpr const char* kContract = "vllm.per_tensor";
  SIMT_DEVICE static float scale(float amax) { return amax / 448.0f; }
};

struct VllmPerTensorFnuz : MadeScale<VllmStaticFnuz> {
  static constexpr const char* kContract = "vllm.per_tensor_fnuz";
  SIMT_DEVICE static float scale(float amax) { return amax / 224.0f; }
};

/// torch's amax, clamp and floor keep NaN, whose pattern is above that of Inf.
struct VllmPerTensorNative : MadeScale<VllmStaticNative> {
  static constexpr const char* kContract = "vllm.per_tensor_native";
  SIMT_DEVICE static float widest(float a, float b) { return simt::max_or_nan(a, b); }
  SIMT_DEVICE static float scale(float amax) { return simt::max_or_nan(amax / 448.0f, kLeastScale); }
};

/// On a GPU torch divides by a Python number by its reciprocal.
struct VllmPerTensorNativeGpu : VllmPerTensorNative {
  static constexpr const char* kContract = "vllm.per_tensor_native_gpu";
  SIMT_DEVICE static float scale(float amax) { return simt::max_or_nan(amax * (1.0f / 448.0f), kLeastScale); }
};

/// The module flushes subnormal numbers.
struct AiterPerTensor : MadeScale<AiterStatic> {
  static constexpr const char* kContract = "aiter.per_tensor";
  using Element = FlushingMultiply;
  SIMT_DEVICE static float scale(float amax) { return flushed(amax * (1.0f / 448.0f)); }
};

struct AiterPerTensorFnuz : MadeScale<AiterStaticFnuz> {
  static constexpr const char* kContract = "aiter.per_tensor_fnuz";
  using Element = FlushingMultiply;
  SIMT_DEVICE static float scale(float amax) { return flushed(amax * (1.0f / 240.0f)); }
};

}  // namespace assay_kernels
