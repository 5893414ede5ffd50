// y = x / sqrt(mean(x^2) + eps) * gamma, one block a row.
#pragma once

#include "kernels/ops/dispatch.h"
#include "kernels/ops/rms_norm/row.h"

namespace assay_kernels {

template <class Rules, class T, int kWarp, int kLoads>
SIMT_KERNEL void rms_norm(const T* x, const T* gamma, T* y, int32_t n, float eps) {
  constexpr int kElements = simt::Vector<T>::kElements;
  const int64_t first = simt::block() * n;
  const int loads = n / kElements;
  const auto row = load_row<T, kLoads>(x + first, Rules::covered(loads, simt::block_size()));
  const float r = row_factor<Rules, kWarp>(row, loads, eps);
  SIMT_UNROLL
  for (int k = 0; k < kLoads; ++k) {
    const int load = row.load_of(k);
    if (load < loads)
      simt::store16(y + first + load * kElements, normalize<Rules>(row.at[k], r, simt::load16(gamma + load * kElements)));
  }
}

/// What the norms share on the host: x is dense, rows a multiple of eight elements, gamma as long as a row.
inline Shape norm_inputs(const Call& call) {
  const assay_tensor& x = call.input("x");
  const Shape shape = dense_matrix(x);
  expect_aligned(x);
  expect_aligned(call.input("gamma"));
  expect_vector(call.input("gamma"), shape.columns, x);
  if (shape.columns % 8 != 0) unsupported("rows must be a multiple of 8 elements");
  if (shape.columns > 0x7fffffff) unsupported("rows of more than 2^31 - 1 elements");
  return shape;
}

inline const assay_tensor& norm_output(const Call& call, Shape shape) {
  const assay_tensor &x = call.input("x"), &y = call.output("y");
  if (!has_type(y, x.type_code, x.type_bits)) unsupported("y must have the type of x");
  const Shape out = dense_matrix(y);
  if (out.rows != shape.rows || out.columns != shape.columns) wrong("y must have the shape of x");
  expect_aligned(y);
  return y;
}

template <class Rules>
void run_rms_norm(const Call& call) {
  const Shape shape = norm_inputs(call);
  const assay_tensor &x = call.input("x"), &gamma = call.input("gamma"), &y = norm_output(call, shape);
  if (shape.rows == 0) return;
  const auto n = int32_t(shape.columns);
  const auto eps = float(call.number("eps"));
  with_type(x, [&](auto type) {
    using T = decltype(type);
    const int loads = n / simt::Vector<T>::kElements;
    const simt::Launch grid = call.grid(shape.rows, simt::block_threads(loads, call.warp()));
    with_warp(call, [&](auto warp) {
      with_loads(loads, grid.threads, [&](auto each) {
        simt::launch(rms_norm<Rules, T, decltype(warp)::value, decltype(each)::value>, grid, data_of<T>(x), data_of<T>(gamma),
                     static_cast<T*>(y.data), n, eps);
      });
    });
  });
}

}  // namespace assay_kernels
