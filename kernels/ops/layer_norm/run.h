// From a call of layer_norm to its kernel.
#pragma once

#include "kernels/ops/layer_norm/layer_norm.h"
#include "kernels/ops/rms_norm/arguments.h"

namespace assay_kernels {

/// gamma and beta are fp32 or of the type of x.
template <class Rules>
void run_layer_norm(const Call& call) {
  const assay_tensor &x = call.input("x"), &gamma = call.input("gamma"), &beta = call.input("beta"), &y = call.output("y");
  const Shape shape = matrix_of_rows(x);
  expect_matrix(y, shape);
  expect_vector(gamma, shape.columns, gamma);
  expect_vector(beta, shape.columns, gamma);
  if (shape.columns > 0x7fffffff) unsupported("rows of more than 2^31 - 1 elements");
  if (!has_type(y, x.type_code, x.type_bits)) unsupported("y must have the type of x");
  bool whole = lies_in_sixteens(x, x.strides[0]);
  for (const assay_tensor* dense : {&y, &gamma, &beta}) whole = whole && lies_in_sixteens(*dense, shape.columns);
  if (shape.rows == 0) return;
  const int64_t loads = (shape.columns * x.type_bits / 8 + 15) / 16;
  const simt::Launch grid = call.grid(shape.rows, simt::block_threads(loads, call.warp()));
  const auto launch = [&](auto type, auto weight) {
    using T = decltype(type);
    using W = decltype(weight);
    const LayerArguments<T, W> arguments{data_of<T>(x), data_of<W>(gamma),      data_of<W>(beta),
                                         x.strides[0],  int32_t(shape.columns), float(call.number("eps"))};
    with_warp(call, [&](auto warp) {
      with_row<8>(loads, grid.threads, whole, [&](auto each) {
        simt::launch(layer_norm<Rules, T, W, decltype(warp)::value, decltype(each)::value>, grid, arguments,
                     static_cast<T*>(y.data));
      });
    });
  };
  with_type(x, [&](auto type) {
    if (has_type(gamma, ASSAY_FLOAT, 32)) return launch(type, float{});
    if (!has_type(gamma, x.type_code, x.type_bits)) unsupported("gamma and beta must be fp32 or have the type of x");
    if constexpr (!std::is_same_v<decltype(type), float>) launch(type, type);
  });
}

}  // namespace assay_kernels
