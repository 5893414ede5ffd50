// A GEMM whose unit takes the scales: one chain of all k, a tile of the instruction's own size to a block.
#pragma once

#include "kernels/gemm/staging.h"
#include "kernels/ops/gemm_block_scaled/store.h"

namespace assay_kernels {

/// Scales of one instruction, ones beyond m and n.
template <class U>
struct StagedScales {
  static constexpr int kEach = units::Bytes<U>::kScales;  ///< of a row
  alignas(16) uint8_t a[U::kM * kEach];
  alignas(16) uint8_t b[U::kN * kEach];
};

/// Of the rows from `row` and the products from k.
template <class Rules, class U, int kThreads>
SIMT_DEVICE void stage_scales(uint8_t* to, const BlockScales& scales, int64_t row, int rows, int64_t all_rows, int64_t k, int64_t all_k) {
  constexpr int kEach = StagedScales<U>::kEach;
  constexpr uint8_t kOne = 127;
  const int64_t blocks = (all_k + Rules::kProducts - 1) / Rules::kProducts;
  for (int i = simt::thread(); i < rows * kEach; i += kThreads) {
    const int64_t r = row + i / kEach, at = k + i % kEach * U::kScaleBlock;
    to[i] = r < all_rows && at < all_k ? Rules::scale_byte(scales, r, at / Rules::kProducts, blocks) : kOne;
  }
}

template <class U, class Rules, int kWarp>
SIMT_KERNEL void unit_scaled_product(BlockGemmArguments x) {
  constexpr int kThreads = units::kThreads<U, kWarp>;
  SIMT_SHARED StagedStep<U> step;
  SIMT_SHARED StagedScales<U> scales;
  const int64_t across = (x.n + U::kN - 1) / U::kN;
  const int64_t row = simt::block() / across * U::kM, column = simt::block() % across * U::kN;
  units::Operands factors{step.a, step.b, U::kK, U::kK, scales.a, scales.b, scales.kEach, scales.kEach};
  units::Tile<U, kWarp> chain;
  SIMT_UNROLL
  for (int i = 0; i < chain.kElements; ++i) chain.at[i] = 0;
  for (int64_t at = 0; at < x.k; at += U::kK) {
    stage<Rules, kThreads>(step, x, row, column, at, x.k);
    stage_scales<Rules, U, kThreads>(scales.a, x.scale_a, row, U::kM, x.m, at, x.k);
    stage_scales<Rules, U, kThreads>(scales.b, x.scale_b, column, U::kN, x.n, at, x.k);
    simt::barrier();
    units::mma<U, kWarp>(chain, factors);
    simt::barrier();
  }
  SIMT_UNROLL
  for (int i = 0; i < chain.kElements; ++i) {
    const int64_t r = row + chain.row(i), c = column + chain.column(i);
    if (r < x.m && c < x.n) store_as<Rules>(x, r, c, number_of_sum<U>(chain.at[i]));
  }
}

}  // namespace assay_kernels
