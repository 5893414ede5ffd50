// residual += x; y = residual / sqrt(mean(residual^2) + eps) * gamma, one block a row, the residual in place.
#pragma once

#include "kernels/ops/rms_norm/added.h"
#include "kernels/ops/rms_norm/rms_norm.h"

namespace assay_kernels {

template <class Rules, class T, int kWarp, int kLoads>
SIMT_KERNEL void fused_add_rms_norm(const T* x, T* residual, const T* gamma, T* y, int32_t n, float eps) {
  constexpr int kElements = simt::Vector<T>::kElements;
  const int64_t first = simt::block() * n;
  const int loads = n / kElements;
  AddedRow<Rules, T, kLoads> row;
  const float sum = add_row<Rules, T, kLoads, 1>(x + first, residual + first, loads, row);
  const float r = block_factor<Rules, kWarp>(sum, n, eps);
  SIMT_UNROLL
  for (int k = 0; k < kLoads; ++k) {
    const int load = row.load_of(k);
    if (load < loads)
      simt::store16(y + first + load * kElements, normalize<Rules>(row.at[k], r, simt::load16(gamma + load * kElements)));
  }
}

/// The residual of a call that adds one: read, and then written.
inline const assay_tensor& residual_of(const Call& call, Shape shape) {
  const assay_tensor &x = call.input("x"), &residual = call.output("residual");
  if (!has_type(residual, x.type_code, x.type_bits)) unsupported("residual must have the type of x");
  const Shape own = dense_matrix(residual);
  if (own.rows != shape.rows || own.columns != shape.columns) wrong("residual must have the shape of x");
  expect_aligned(residual);
  return residual;
}

template <class Rules>
void run_fused_add_rms_norm(const Call& call) {
  const Shape shape = norm_inputs(call);
  const assay_tensor &x = call.input("x"), &gamma = call.input("gamma"), &residual = residual_of(call, shape);
  const assay_tensor& y = norm_output(call, shape);
  if (shape.rows == 0) return;
  const auto n = int32_t(shape.columns);
  const auto eps = float(call.number("eps"));
  with_type(x, [&](auto type) {
    using T = decltype(type);
    const int loads = n / simt::Vector<T>::kElements;
    const simt::Launch grid = call.grid(shape.rows, simt::block_threads(loads, call.warp()));
    with_warp(call, [&](auto warp) {
      with_loads(loads, grid.threads, [&](auto each) {
        simt::launch(fused_add_rms_norm<Rules, T, decltype(warp)::value, decltype(each)::value>, grid, data_of<T>(x),
                     static_cast<T*>(residual.data), data_of<T>(gamma), static_cast<T*>(y.data), n, eps);
      });
    });
  });
}

}  // namespace assay_kernels
