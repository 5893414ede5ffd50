// Dynamic quantization by blocks of 128 x 128: one thread block a block of the matrix, which it reads once and keeps in
// registers. Blocks at the edges may be cut off: what lies beyond counts as zero and has no codes.
#pragma once

#include "kernels/ops/quant_group/arguments.h"
#include "kernels/ops/quant_static/given.h"
#include "kernels/ops/row_loads.h"
#include "kernels/simt/block_reduce.h"

namespace assay_kernels {

inline constexpr int kBlockSide = 128;
inline constexpr int kBlockThreads = 256;

/// Of x. Numbers of 32 bits, for the registers' sake.
struct BlockShape {
  int32_t rows, columns;
};

template <class T>
struct BlockArguments {
  const T* x;
  uint8_t* q;
  BlockShape shape;
  ScalesOut scales;  ///< rows and groups: of blocks
};

/// kWhole: rows are whole loads.
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
  if (shape.rows > kMost || shape.columns > kMost) unsupported("more than 2^31 rows or columns");
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

/// What a kernel of blocks accepts, for describe().
inline Accepts block_accepts() {
  return {{"x", kAny}, {"group_size", {"128x128"}}, {"layout", {"row"}}, {"warp", simt::kWarpSizes}};
}

}  // namespace assay_kernels
