// Quantization by a scale and a zero point that the caller gives.
#pragma once

#include "kernels/ops/quant_azp/rules.h"
#include "kernels/ops/quant_static/given.h"

namespace assay_kernels {

/// As quant_given of quant_static/given.h.
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

/// Refuses unless the zero points are dense int32, one for each scale.
inline void expect_zero_points(const assay_tensor& zero, Shape shape) {
  if (!has_type(zero, ASSAY_INT, 32)) unsupported("azp must be int32");
  const Shape dense = dense_matrix(zero);
  if (dense.rows != shape.rows || dense.columns != shape.columns) failed("azp must have the shape of scale");
}

template <class Rules>
void run_static_azp(const Call& call) {
  const assay_tensor &scale = call.input("scale"), &zero = call.input("azp");
  const Shape shape = matrices_of_one_scale<Rules>(call, scale);
  expect_zero_points(zero, {1, 1});
  const int64_t n = shape.rows * shape.columns;
  if (n == 0) return;
  with_type(call.input("x"), [&](auto type) {
    using T = decltype(type);
    simt::launch(quant_given_azp<Rules, T>, call.grid((n + kGivenChunk<T> - 1) / kGivenChunk<T>, kGivenThreads),
                 data_of<T>(call.input("x")), static_cast<uint8_t*>(call.output("q").data), data_of<float>(scale),
                 data_of<int32_t>(zero), n);
  });
}

}  // namespace assay_kernels
