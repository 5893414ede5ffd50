// Quantization with a scale per block of 128 x 128 elements, or with one computed scale for the whole tensor.
#pragma once

#include "kernels/ops/kernel_common.h"
#include "kernels/ops/quant_group/quant_group_contracts.h"
#include "kernels/ops/quant_group/quant_group_kernel.h"
#include "kernels/ops/quant_static/quant_static_kernel.h"

namespace assay_kernels {

// Dynamic per-tensor quantization: computes the scale, then quantizes as static quantization does.
// Source: vLLM csrc/libtorch_stable/quantization/w8a8/fp8/common.cu (094be773), utils.cuh (1f89a92c), input_quant_fp8.py
// (014af6b5); aiter csrc/kernels/quant_kernels.cu (e4048607).

/// The scale starts at 0, and thread blocks raise it by atomic maximum. For a tensor of zeros it stays 0; elements are then
/// multiplied by 1 / 0, and 0 * Inf is NaN.
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

/// torch's amax, clamp and lower limit keep NaN. The atomic maximum keeps it too, because the bit pattern of NaN sorts above Inf.
struct VllmPerTensorNative : MadeScale<VllmStaticNative> {
  static constexpr const char* kContract = "vllm.per_tensor_native";
  SIMT_DEVICE static float widest(float a, float b) { return simt::max_or_nan(a, b); }
  SIMT_DEVICE static float scale(float amax) { return simt::max_or_nan(amax / 448.0f, kLeastScale); }
};

/// On a GPU, torch replaces a division by a Python number by a multiplication with its reciprocal, here 1/448.
struct VllmPerTensorNativeGpu : VllmPerTensorNative {
  static constexpr const char* kContract = "vllm.per_tensor_native_gpu";
  SIMT_DEVICE static float scale(float amax) { return simt::max_or_nan(amax * (1.0f / 448.0f), kLeastScale); }
};

/// AITER builds this module so that it flushes subnormals to zero.
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

// Dynamic quantization by tiles of 128 x 128 elements. A thread block reads its tile once and keeps the elements in registers.
// Elements beyond the edges of the matrix count as zeros, and no codes are stored for them.

inline constexpr int kBlockSide = 128;
inline constexpr int kBlockThreads = 256;

/// Rows and columns of x, in 32-bit integers to save registers.
struct BlockShape {
  int32_t rows, columns;
};

template <class T>
struct BlockArguments {
  const T* x;
  uint8_t* q;
  BlockShape shape;
  ScalesOut scales;  ///< `rows` and `groups`: 128 x 128 blocks along each dimension
};

/// kWhole: rows consist of aligned 16-byte loads.
template <class Rules, class T, int kWarp, bool kWhole>
SIMT_KERNEL void quant_block(BlockArguments<T> a) {
  constexpr int kElements = simt::Vector<T>::kElements, kAcross = kBlockSide / kElements, kDown = kBlockThreads / kAcross;
  constexpr int kLoads = kBlockSide / kDown;
  const uint32_t block_row = a.scales.by_groups.quotient(uint32_t(simt::block()));
  const uint32_t block_column = uint32_t(simt::block()) - block_row * a.scales.by_groups.divisor;
  const int32_t top = int32_t(block_row) * kBlockSide + simt::thread() / kAcross;
  const int32_t left = int32_t(block_column) * kBlockSide + simt::thread() % kAcross * kElements;
  simt::Vector<uint32_t> words[kLoads];
  SIMT_UNROLL
  for (int k = 0; k < kLoads; ++k) {
    const int32_t row = top + k * kDown;
    words[k] = row < a.shape.rows ? Rules::load(a.x, row, left, a.shape, kWhole) : simt::Vector<uint32_t>{};
  }
  float widest = 0.0f;
  SIMT_UNROLL
  for (int k = 0; k < kLoads; ++k) {
    if (!Rules::counts(top + k * kDown)) continue;
    const simt::Vector<T> v = elements_of<T>(words[k]);
    SIMT_UNROLL
    for (int i = 0; i < kElements; ++i) widest = Rules::widest(widest, simt::magnitude(simt::to_float(v.at[i])));
  }
  widest = simt::block_reduce<kWarp>(
      widest, 0.0f, [](float u, float w) { return Rules::widest(u, w); }, [] { simt::barrier(); });

  const float amax = Rules::amax(widest);
  const float scale = Rules::scale(amax);
  const typename Rules::Element element(Rules::operand(amax, scale));
  if (simt::thread() == 0) static_cast<float*>(a.scales.data)[Rules::place(a.scales, block_row, block_column)] = scale;
  SIMT_UNROLL
  for (int k = 0; k < kLoads; ++k) {
    const int32_t row = top + k * kDown;
    if (row >= a.shape.rows) continue;
    const simt::Vector<T> v = elements_of<T>(words[k]);
    float u[kElements];
    SIMT_UNROLL
    for (int i = 0; i < kElements; ++i) u[i] = Rules::clamp(element(simt::to_float(v.at[i])));
    store_of_row<typename Rules::Code>(a.q + int64_t{row} * a.shape.columns, left, a.shape.columns, kWhole, u);
  }
}

template <class Rules>
void run_block(const Call& call) {
  const assay_tensor &x = call.input("x"), &scale = call.output("scale");
  const Shape shape = matrices_of_scales<Rules>(call, scale);
  const Shape blocks{(shape.rows + kBlockSide - 1) / kBlockSide, (shape.columns + kBlockSide - 1) / kBlockSide};
  expect_matrix(scale, blocks);
  if (shape.rows == 0) return;
  constexpr int64_t kMost = 0x7fffffff - kBlockSide;
  if (shape.rows > kMost || shape.columns > kMost) unsupported("x must have fewer than 2^31 - 128 rows and columns");
  const ScalesOut out{scale.data,
                      blocks.rows,
                      int32_t(blocks.columns),
                      scale.strides[0],
                      scale.strides[1],
                      0,
                      Divider::by(uint32_t(blocks.columns))};
  const simt::Launch grid = call.grid(blocks.rows * blocks.columns, kBlockThreads);
  with_type(x, [&](auto type) {
    using T = decltype(type);
    const BlockArguments<T> a{
        data_of<T>(x), static_cast<uint8_t*>(call.output("q").data), {int32_t(shape.rows), int32_t(shape.columns)}, out};
    with_warp(call, [&](auto warp) {
      constexpr int kWarp = decltype(warp)::value;
      if (shape.columns % simt::Vector<T>::kElements == 0) return simt::launch(quant_block<Rules, T, kWarp, true>, grid, a);
      simt::launch(quant_block<Rules, T, kWarp, false>, grid, a);
    });
  });
}

/// Case parameters that a block kernel accepts, as describe() of the C ABI lists them.
inline Accepts block_accepts() {
  return {{"x", kAny}, {"group_size", {"128x128"}}, {"layout", {"row"}}, {"warp", simt::kWarpSizes}};
}

// Quantization of weights by blocks of 128 x 128.
// Source: DeepGEMM deep_gemm/utils/math.py (54e22612), vLLM vllm/utils/deep_gemm.py (00620f91),
// vllm/model_executor/layers/quantization/utils/quant_utils.py.

/// Group rules, plus how a row of a block is loaded and whether it counts for amax. Deliberately wrong kernels replace these functions.
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

/// Rounds the scale up to a power of two by exp2(ceil(log2())). The scale's exponent is not clamped.
struct VllmPerBlockCastUe8m0 : Block<DeepgemmPerTokenCast> {
  static constexpr const char* kContract = "vllm.per_block_cast_ue8m0";
  SIMT_DEVICE static float scale(float amax) { return simt::exp2(simt::ceil(simt::log2(amax / 448.0f))); }
};

/// First computes the multiplier, (1 / amax) * 448. The stored scale is the reciprocal of the multiplier.
struct VllmScaledQuantizeBlock : Block<GroupRules> {
  static constexpr const char* kContract = "vllm.scaled_quantize_block_rcp";
  using Element = simt::Multiply;
  SIMT_DEVICE static float widest(float a, float b) { return widest_or_nan(a, b); }
  SIMT_DEVICE static float amax(float widest) { return simt::max_or_nan(widest, 1e-12f); }
  SIMT_DEVICE static float scale(float amax) { return 1.0f / operand(amax, 0.0f); }
  SIMT_DEVICE static float operand(float amax, float /*scale*/) { return 1.0f / amax * 448.0f; }
  SIMT_DEVICE static float clamp(float v) { return clamp_keep(v, 448.0f); }
};

// Dynamic per-tensor quantization: one scale for the whole matrix, by three launches on one stream. The first clears the scale;
// the second raises it to the largest scale of any thread block's elements; the third quantizes all elements.

template <class Rules>
SIMT_KERNEL void clear_scale(float* scale) {
  if (simt::block() == 0 && simt::thread() == 0) Rules::clear(scale);
}

/// Each thread block raises the scale to the scale of its own amax. Scales increase with amax, so the largest amax gives the result.
template <class Rules, class T, int kWarp>
SIMT_KERNEL void tensor_scale(const T* x, float* scale, int64_t n) {
  constexpr int kElements = simt::Vector<T>::kElements;
  const int64_t begin = simt::block() * kGivenChunk<T>;
  simt::Vector<T> v[kGivenLoads];
  SIMT_UNROLL
  for (int k = 0; k < kGivenLoads; ++k) v[k] = load_within(x, begin + int64_t{k * kGivenThreads + simt::thread()} * kElements, n);
  float widest = 0.0f;
  SIMT_UNROLL
  for (int k = 0; k < kGivenLoads; ++k) {
    SIMT_UNROLL
    for (int i = 0; i < kElements; ++i) widest = Rules::widest(widest, simt::magnitude(simt::to_float(v[k].at[i])));
  }
  widest = simt::block_reduce<kWarp>(
      widest, 0.0f, [](float a, float b) { return Rules::widest(a, b); }, [] { simt::barrier(); });
  if (simt::thread() == 0) simt::atomic_max(scale, simt::magnitude(Rules::scale(widest)));
}

/// Does what tensor_scale() does, for rows that begin `pitch` elements apart: one block per row.
template <class Rules, class T, int kWarp>
SIMT_KERNEL void tensor_scale_rows(const T* x, float* scale, int64_t columns, int64_t pitch) {
  float widest = 0.0f;
  for (int64_t i = simt::thread(); i < columns; i += kGivenThreads)
    widest = Rules::widest(widest, simt::magnitude(simt::to_float(x[simt::block() * pitch + i])));
  widest = simt::block_reduce<kWarp>(
      widest, 0.0f, [](float a, float b) { return Rules::widest(a, b); }, [] { simt::barrier(); });
  if (simt::thread() == 0) simt::atomic_max(scale, simt::magnitude(Rules::scale(widest)));
}

template <class Rules>
void run_tensor(const Call& call) {
  const assay_tensor &x = call.input("x"), &scale = call.output("scale");
  const Shape shape = matrices_of_one_scale<Rules>(call, scale);
  const int64_t n = shape.rows * shape.columns;
  auto* s = static_cast<float*>(scale.data);
  with_type(x, [&](auto type) {
    using T = decltype(type);
    with_warp(call, [&](auto warp) {
      const simt::Launch grid = call.grid((n + kGivenChunk<T> - 1) / kGivenChunk<T>, kGivenThreads);
      simt::launch(clear_scale<Rules>, call.grid(1, call.warp()), s);
      if (n == 0) return;
      if (lies_apart(x, shape)) {
        const simt::Launch of_rows = call.grid(shape.rows, kGivenThreads);
        simt::launch(tensor_scale_rows<Rules, T, decltype(warp)::value>, of_rows, data_of<T>(x), s, shape.columns, x.strides[0]);
        return simt::launch(quant_given_rows<Rules, T>, of_rows, data_of<T>(x), static_cast<uint8_t*>(call.output("q").data),
                            static_cast<const float*>(s), shape.columns, x.strides[0]);
      }
      simt::launch(tensor_scale<Rules, T, decltype(warp)::value>, grid, data_of<T>(x), s, n);
      simt::launch(quant_given<Rules, T>, grid, data_of<T>(x), static_cast<uint8_t*>(call.output("q").data),
                   static_cast<const float*>(s), n);
    });
  });
}

}  // namespace assay_kernels
