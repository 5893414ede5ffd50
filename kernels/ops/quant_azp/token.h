// Dynamic per-token quantization to codes with a zero point: one block a row, the row held in registers.
#pragma once

#include "kernels/ops/quant_azp/given.h"
#include "kernels/simt/block_reduce.h"

namespace assay_kernels {

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
  // Each reduction has results of its own in shared memory, so no barrier stands between them.
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
  if (!has_type(q, Rules::Code::kType, 8)) unsupported(std::string("contract ") + Rules::kContract + " writes int8");
  if (!has_type(scale, ASSAY_FLOAT, 32)) unsupported(std::string("contract ") + Rules::kContract + " writes fp32 scales");
  expect_matrix(scale, {shape.rows, 1});
  expect_zero_points(zero, {shape.rows, 1});
  if (shape.columns % 8 != 0) unsupported("rows must be a multiple of 8 elements");
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
