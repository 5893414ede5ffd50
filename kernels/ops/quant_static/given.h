// Quantization by a scale that is there already: given by the caller, or made by an earlier launch.
#pragma once

#include "kernels/ops/catalogue.h"
#include "kernels/ops/dispatch.h"
#include "kernels/ops/quant_group/rules.h"

namespace assay_kernels {

inline constexpr int kGivenThreads = 256;
inline constexpr int kGivenLoads = 4;  ///< in flight for each thread

/// Elements of one block.
template <class T>
inline constexpr int64_t kGivenChunk = int64_t{kGivenThreads} * kGivenLoads * simt::Vector<T>::kElements;

/// One load of a dense matrix of n elements; beyond the end zeros.
template <class T>
SIMT_DEVICE simt::Vector<T> load_within(const T* x, int64_t first, int64_t n) {
  if (first + simt::Vector<T>::kElements <= n) return simt::load16(x + first);
  simt::Vector<T> rest{};
  SIMT_UNROLL
  for (int i = 0; i < simt::Vector<T>::kElements; ++i)
    if (first + i < n) rest.at[i] = x[first + i];
  return rest;
}

template <class Rules, class T>
SIMT_KERNEL void quant_given(const T* x, uint8_t* q, const float* scale, int64_t n) {
  constexpr int kElements = simt::Vector<T>::kElements;
  const int64_t begin = simt::block() * kGivenChunk<T>;
  const typename Rules::Element element(Rules::operand(0.0f, *scale));
  simt::Vector<T> v[kGivenLoads];
  SIMT_UNROLL
  for (int k = 0; k < kGivenLoads; ++k) v[k] = load_within(x, begin + int64_t{k * kGivenThreads + simt::thread()} * kElements, n);
  SIMT_UNROLL
  for (int k = 0; k < kGivenLoads; ++k) {
    const int64_t first = begin + int64_t{k * kGivenThreads + simt::thread()} * kElements;
    float u[kElements];
    SIMT_UNROLL
    for (int i = 0; i < kElements; ++i) u[i] = Rules::clamp(element(simt::to_float(v[k].at[i])));
    if (first + kElements <= n) {
      if constexpr (kElements == 8) {
        simt::store8(q + first, Rules::Code::encode4(u), Rules::Code::encode4(u + 4));
      } else {
        simt::store4(q + first, Rules::Code::encode4(u));
      }
    } else {
      SIMT_UNROLL
      for (int i = 0; i < kElements; ++i)
        if (first + i < n) q[first + i] = Rules::Code::encode(u[i]);
    }
  }
}

/// What a kernel of one scale accepts, for describe().
inline Accepts one_scale_accepts() {
  return {{"x", kAny}, {"group_size", {"tensor"}}, {"layout", {"row"}}, {"warp", simt::kWarpSizes}};
}

/// x, q and the scales of a call, checked.
template <class Rules>
Shape matrices_of_scales(const Call& call, const assay_tensor& scale) {
  const assay_tensor &x = call.input("x"), &q = call.output("q");
  const Shape shape = dense_matrix(x), out = dense_matrix(q);
  if (out.rows != shape.rows || out.columns != shape.columns) failed("q must have the shape of x");
  if (!has_type(q, Rules::Code::kType, 8)) unsupported(std::string("q has not the type of contract ") + Rules::kContract);
  if (!has_type(scale, ASSAY_FLOAT, 32)) unsupported("scale must be fp32");
  expect_aligned(x);
  expect_aligned(q);
  return shape;
}

template <class Rules>
Shape matrices_of_one_scale(const Call& call, const assay_tensor& scale) {
  const Shape shape = matrices_of_scales<Rules>(call, scale);
  expect_matrix(scale, {1, 1});
  return shape;
}

template <class Rules>
void run_static(const Call& call) {
  const assay_tensor& scale = call.input("scale");
  const Shape shape = matrices_of_one_scale<Rules>(call, scale);
  const int64_t n = shape.rows * shape.columns;
  if (n == 0) return;
  with_type(call.input("x"), [&](auto type) {
    using T = decltype(type);
    simt::launch(quant_given<Rules, T>, call.grid((n + kGivenChunk<T> - 1) / kGivenChunk<T>, kGivenThreads),
                 data_of<T>(call.input("x")), static_cast<uint8_t*>(call.output("q").data), data_of<float>(scale), n);
  });
}

}  // namespace assay_kernels
