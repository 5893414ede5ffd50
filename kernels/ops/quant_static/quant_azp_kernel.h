// Quantization to int8 with zero points: dynamically per token, or by a scale and zero point that are inputs.
#pragma once

#include "kernels/ops/kernel_common.h"
#include "kernels/ops/quant_group/quant_group_rules.h"
#include "kernels/ops/quant_static/quant_static_kernel.h"

namespace assay_kernels {

// int8 codes with a zero point (azp). Each contract is a struct, as in quant_group_rules.h.
// Source: vLLM csrc/quantization/w8a8/int8/scaled_quant.cu (180df48e).

struct VllmStaticInt8Azp {
  static constexpr const char* kContract = "vllm.static_int8_azp";
  static constexpr bool kPacked = false;
  using Code = Int8Nearest;
  SIMT_DEVICE static float operand(float scale) { return 1.0f / scale; }
  /// The code before the clamp to int8. vLLM adds plain int32 values instead, and assumes that the sum does not overflow.
  SIMT_DEVICE static int32_t integer(float x, float m, int32_t azp) { return simt::add_sat(simt::to_int32_sat(x * m), azp); }
  SIMT_DEVICE static uint32_t pack(const int32_t* v) { return simt::pack_int8_sat(v[0], v[1], v[2], v[3]); }
};

struct VllmPerTokenInt8Azp : VllmStaticInt8Azp {
  static constexpr const char* kContract = "vllm.per_token_int8_azp";
  static constexpr float kLeastAtFirst = 0x1.fffffep127f, kGreatestAtFirst = -0x1.fffffep127f;
  /// The maximum of -0 and +0 may be -0 or +0. hi + 0 is +0 in both cases, so the scale does not depend on this.
  SIMT_DEVICE static float scale(float lo, float hi) { return (hi + 0.0f - lo) / 255.0f; }
  /// If all values of a row are equal, its scale is 0. vLLM's cast to int32 is then undefined; this cast saturates.
  SIMT_DEVICE static int32_t zero(float lo, float scale) { return simt::to_int32_sat(-128.0f - lo / scale); }
};

/// The range of a row always includes 0, so that a row of equal values has a nonzero scale. A row of zeros has scale 1.
struct AssayPerTokenInt8Azp : VllmPerTokenInt8Azp {
  static constexpr const char* kContract = "assay.per_token_int8_azp";
  static constexpr float kLeastAtFirst = 0.0f, kGreatestAtFirst = 0.0f;
  SIMT_DEVICE static float scale(float lo, float hi) {
    const float s = (hi + 0.0f - lo) / 255.0f;
    return s == 0.0f ? 1.0f : s;
  }
};

// Quantization by a scale and zero point that are inputs.

/// Does what quant_given() in quant_static_kernel.h does, with a zero point.
template <class Rules, class T>
SIMT_KERNEL void quant_given_azp(const T* x, uint8_t* q, const float* scale, const int32_t* zero, int64_t n) {
  constexpr int kElements = simt::Vector<T>::kElements;
  const int64_t begin = simt::block() * kGivenChunk<T>;
  const float m = Rules::operand(*scale);
  const int32_t azp = *zero;
  simt::Vector<T> v[kGivenLoads];
  SIMT_UNROLL
  for (int k = 0; k < kGivenLoads; ++k) v[k] = load_within(x, begin + int64_t{k * kGivenThreads + simt::thread()} * kElements, n);
  SIMT_UNROLL
  for (int k = 0; k < kGivenLoads; ++k) {
    const int64_t first = begin + int64_t{k * kGivenThreads + simt::thread()} * kElements;
    uint32_t words[kElements / 4];
    SIMT_UNROLL
    for (int i = 0; i < kElements; i += 4) {
      int32_t u[4];
      SIMT_UNROLL
      for (int j = 0; j < 4; ++j) u[j] = Rules::integer(simt::to_float(v[k].at[i + j]), m, azp);
      words[i / 4] = Rules::pack(u);
    }
    if (first + kElements <= n) {
      if constexpr (kElements == 8) {
        simt::store8(q + first, words[0], words[1]);
      } else {
        simt::store4(q + first, words[0]);
      }
    } else {
      SIMT_UNROLL
      for (int i = 0; i < kElements; ++i)
        if (first + i < n) q[first + i] = uint8_t(words[i / 4] >> (i % 4 * 8));
    }
  }
}

/// Rejects the call unless the zero points are a dense int32 matrix of the given shape, the shape of the scales.
inline void expect_zero_points(const assay_tensor& zero, Shape shape) {
  if (!has_type(zero, ASSAY_INT, 32)) unsupported("azp must be int32");
  const Shape dense = dense_matrix(zero);
  if (dense.rows != shape.rows || dense.columns != shape.columns) failed("azp must have the shape of scale");
}

template <class Rules>
void run_static_azp(const Call& call) {
  const assay_tensor &x = call.input("x"), &scale = call.input("scale"), &zero = call.input("azp");
  const Shape shape = matrices_of_one_scale<Rules>(call, scale);
  if (lies_apart(x, shape)) unsupported(named(x) + ": each row must begin where the previous row ends");
  expect_zero_points(zero, {1, 1});
  const int64_t n = shape.rows * shape.columns;
  if (n == 0) return;
  with_type(x, [&](auto type) {
    using T = decltype(type);
    simt::launch(quant_given_azp<Rules, T>, call.grid((n + kGivenChunk<T> - 1) / kGivenChunk<T>, kGivenThreads),
                 data_of<T>(x), static_cast<uint8_t*>(call.output("q").data), data_of<float>(scale), data_of<int32_t>(zero), n);
  });
}

// Dynamic per-token quantization to codes with a zero point: one block per row, with the row in registers.

template <class T>
struct AzpArguments {
  const T* x;
  uint8_t* q;
  float* scale;
  int64_t scale_stride;
  int32_t* zero;
  int32_t columns;
};

template <class Rules, class T, int kWarp, int kLoads>
SIMT_KERNEL void quant_token_azp(AzpArguments<T> a) {
  constexpr int kElements = simt::Vector<T>::kElements;
  const int64_t first = simt::block() * a.columns;
  const int loads = a.columns / kElements;
  simt::Vector<T> x[kLoads];
  float lo = Rules::kLeastAtFirst, hi = Rules::kGreatestAtFirst;
  SIMT_UNROLL
  for (int k = 0; k < kLoads; ++k) {
    const int load = k * simt::block_size() + simt::thread();
    if (load < loads) x[k] = simt::load16(a.x + first + load * kElements);
  }
  SIMT_UNROLL
  for (int k = 0; k < kLoads; ++k) {
    if (k * simt::block_size() + simt::thread() >= loads) break;
    SIMT_UNROLL
    for (int i = 0; i < kElements; ++i) {
      const float v = simt::to_float(x[k].at[i]);
      lo = simt::min_number(lo, v), hi = simt::max_number(hi, v);
    }
  }
  // The two reductions use different shared variables, so no barrier is needed between them.
  lo = simt::block_reduce<kWarp>(
      lo, Rules::kLeastAtFirst, [](float u, float v) { return simt::min_number(u, v); }, [] { simt::barrier(); });
  hi = simt::block_reduce<kWarp>(
      hi, Rules::kGreatestAtFirst, [](float u, float v) { return simt::max_number(u, v); }, [] { simt::barrier(); });

  const float scale = Rules::scale(lo, hi), m = Rules::operand(scale);
  const int32_t azp = Rules::zero(lo, scale);
  if (simt::thread() == 0) a.scale[simt::block() * a.scale_stride] = scale, a.zero[simt::block()] = azp;
  SIMT_UNROLL
  for (int k = 0; k < kLoads; ++k) {
    const int load = k * simt::block_size() + simt::thread();
    if (load >= loads) continue;
    SIMT_UNROLL
    for (int i = 0; i < kElements; i += 4) {
      int32_t u[4];
      SIMT_UNROLL
      for (int j = 0; j < 4; ++j) u[j] = Rules::integer(simt::to_float(x[k].at[i + j]), m, azp);
      simt::store4(a.q + first + load * kElements + i, Rules::pack(u));
    }
  }
}

template <class Rules>
void run_token_azp(const Call& call) {
  const assay_tensor &x = call.input("x"), &q = call.output("q"), &scale = call.output("scale"), &zero = call.output("azp");
  expect_aligned(x);
  expect_aligned(q);
  const Shape shape = dense_matrix(x), out = dense_matrix(q);
  if (out.rows != shape.rows || out.columns != shape.columns) failed("q must have the shape of x");
  if (!has_type(q, Rules::Code::kType, 8)) unsupported(std::string("contract ") + Rules::kContract + " stores q as int8, got " + assay::plugin::type_name(q));
  if (!has_type(scale, ASSAY_FLOAT, 32)) unsupported(std::string("contract ") + Rules::kContract + " stores fp32 scales, so scale must be fp32");
  expect_matrix(scale, {shape.rows, 1});
  expect_zero_points(zero, {shape.rows, 1});
  if (shape.columns % 8 != 0) unsupported("the row length must be a multiple of 8");
  if (shape.rows == 0) return;
  with_type(x, [&](auto type) {
    using T = decltype(type);
    const AzpArguments<T> a{data_of<T>(x),    static_cast<uint8_t*>(q.data),    static_cast<float*>(scale.data),
                            scale.strides[0], static_cast<int32_t*>(zero.data), int32_t(shape.columns)};
    const int64_t loads = shape.columns / simt::Vector<T>::kElements;
    const simt::Launch grid = call.grid(shape.rows, simt::block_threads(loads, call.warp()));
    with_warp(call, [&](auto warp) {
      with_loads(loads, grid.threads, [&](auto each) {
        simt::launch(quant_token_azp<Rules, T, decltype(warp)::value, decltype(each)::value>, grid, a);
      });
    });
  });
}

}  // namespace assay_kernels
