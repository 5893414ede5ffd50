// A matrix product with scales of blocks on a matrix unit: a tile of the instruction's own size to a block, one step of k after
// the other.
#pragma once

#include "kernels/ops/dispatch.h"
#include "kernels/gemm/staging.h"
#include "kernels/ops/gemm_block_scaled/store.h"
#include "kernels/ops/gemm_block_scaled/unit_scaled.h"

namespace assay_kernels {

template <class U, class Rules, int kWarp>
SIMT_KERNEL void block_scaled_product(BlockGemmArguments x) {
  constexpr int kThreads = units::kThreads<U, kWarp>;
  SIMT_SHARED StagedStep<U> step;
  const int64_t across = (x.n + U::kN - 1) / U::kN;
  const int64_t row = simt::block() / across * U::kM, column = simt::block() % across * U::kN;
  units::Operands factors{step.a, step.b, U::kK, U::kK};
  units::Tile<U, kWarp> chain;
  float acc[chain.kElements], sum[chain.kElements];
  const int64_t k = Rules::products(x.k);
  SIMT_UNROLL
  for (int i = 0; i < chain.kElements; ++i) sum[i] = 0.0f;
  for (int64_t part = 0; part < k; part += x.part) {
    const int64_t end = part + x.part < k ? part + x.part : k;
    SIMT_UNROLL
    for (int i = 0; i < chain.kElements; ++i) chain.at[i] = 0, acc[i] = 0.0f;
    const int64_t last = end_of_periods<Rules>(part, end);
    for (int64_t at = part; at < last; at += U::kK) {
      stage<Rules, kThreads>(step, x, row, column, at, end);
      simt::barrier();
      units::mma<U, kWarp>(chain, factors);
      simt::barrier();
      const bool promotes = (at + U::kK - part) % Rules::kPromote == 0 || at + U::kK >= last;
      const int64_t first = part + (at - part) / Rules::kPromote * Rules::kPromote;  // of the products that are promoted
      SIMT_UNROLL
      for (int i = 0; i < chain.kElements && promotes; ++i) {
        const int64_t r = row + chain.row(i), c = column + chain.column(i);
        if (r >= x.m || c >= x.n) continue;
        acc[i] = Rules::join(number_of_sum<U>(chain.at[i]), Rules::scale_of_row(x, r, first), Rules::scale_of_column(x, c, first),
                             acc[i]);
        chain.at[i] = 0;
      }
    }
    if (!Rules::keeps_part(part, end, k)) continue;
    SIMT_UNROLL
    for (int i = 0; i < chain.kElements; ++i)
      sum[i] = Rules::kAddsResults ? added_block_result_as<Rules>(x.y, sum[i], acc[i]) : part == 0 ? acc[i] : sum[i] + acc[i];
  }
  SIMT_UNROLL
  for (int i = 0; i < chain.kElements; ++i) {
    const int64_t r = row + chain.row(i), c = column + chain.column(i);
    if (r < x.m && c < x.n) store_as<Rules>(x, r, c, sum[i]);
  }
}

template <class Rules, int kParts>
void run_block_gemm(const Call& call) {
  using U = typename Rules::Unit;
  BlockGemmArguments x = block_gemm_arguments(call, kTypeCode<typename Rules::CodesOfA>, kTypeCode<typename Rules::CodesOfB>,
                                              Rules::kRowsOfScaleB, Rules::kAddsC, Rules::kLevel, Rules::kProducts);
  expect_weight<Rules>(x);
  if (Rules::kAddsResults && x.y == ResultType::kF32) unsupported("atomics add results of 16 bits");
  if (kParts > 1) x.part = part_of(x.k, kParts, Rules::kPartOf);
  const int64_t tiles = (x.m + U::kM - 1) / U::kM * ((x.n + U::kN - 1) / U::kN);
  if (tiles == 0) return;
  with_warp(call, [&](auto warp) {
    const simt::Launch grid = call.grid(tiles, units::kThreads<U, warp.value>);
    if constexpr (Rules::kInUnit)
      simt::launch(unit_scaled_product<U, Rules, warp.value>, grid, x);
    else
      simt::launch(block_scaled_product<U, Rules, warp.value>, grid, x);
  });
}

}  // namespace assay_kernels
