// Weights by blocks of 128 x 128. Sources: DeepGEMM deep_gemm/utils/math.py (54e22612), vLLM vllm/utils/deep_gemm.py (00620f91),
// vllm/model_executor/layers/quantization/utils/quant_utils.py.
#pragma once

#include "kernels/ops/quant_group/others.h"
#include "kernels/ops/quant_tile/block.h"

namespace assay_kernels {

/// How a block is read, and which of its rows count.
template <class Base>
struct Block : Base {
  template <class T>
  SIMT_DEVICE static simt::Vector<uint32_t> load(const T* x, int32_t row, int32_t first, BlockShape shape, bool whole) {
    return load_of_row(x + int64_t{row} * shape.columns, first, shape.columns, whole);
  }
  SIMT_DEVICE static bool counts(int32_t /*row*/) { return true; }
};

struct DeepgemmPerBlockCast : Block<DeepgemmPerTokenCast> {
  static constexpr const char* kContract = "deepgemm.per_block_cast";
};

struct DeepgemmPerBlockCastGpu : Block<DeepgemmPerTokenCastGpu> {
  static constexpr const char* kContract = "deepgemm.per_block_cast_gpu";
};

struct DeepgemmPerBlockCastUe8m0 : Block<DeepgemmPerTokenCastUe8m0> {
  static constexpr const char* kContract = "deepgemm.per_block_cast_ue8m0";
};

/// The form before it was the bit trick: nothing clamps the exponent.
struct VllmPerBlockCastUe8m0 : Block<DeepgemmPerTokenCast> {
  static constexpr const char* kContract = "vllm.per_block_cast_ue8m0";
  SIMT_DEVICE static float scale(float amax) { return simt::exp2(simt::ceil(simt::log2(amax / 448.0f))); }
};

/// The multiplier comes first, 448 times a reciprocal, and the stored scale is the reciprocal of that.
struct VllmScaledQuantizeBlock : Block<GroupRules> {
  static constexpr const char* kContract = "vllm.scaled_quantize_block_rcp";
  using Element = simt::Multiply;
  SIMT_DEVICE static float widest(float a, float b) { return widest_or_nan(a, b); }
  SIMT_DEVICE static float amax(float widest) { return simt::max_or_nan(widest, 1e-12f); }
  SIMT_DEVICE static float scale(float amax) { return 1.0f / operand(amax, 0.0f); }
  SIMT_DEVICE static float operand(float amax, float /*scale*/) { return 1.0f / amax * 448.0f; }
  SIMT_DEVICE static float clamp(float v) { return clamp_keep(v, 448.0f); }
};

}  // namespace assay_kernels
