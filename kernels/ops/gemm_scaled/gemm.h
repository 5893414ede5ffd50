// A scaled matrix product on a matrix unit: a tile of the instruction's own size to a block, one step of k after the other.
#pragma once

#include "kernels/ops/dispatch.h"
#include "kernels/gemm/lists.h"
#include "kernels/gemm/staging.h"
#include "kernels/ops/gemm_scaled/rules.h"

namespace assay_kernels {

template <class Rules, class Y>
SIMT_DEVICE void store(const GemmArguments& x, int64_t row, int64_t column, float sum) {
  const float sa = Rules::scale_of_row(x, row), sb = Rules::scale_of_column(x, column);
  const float bias = Rules::template bias<Y>(x, row, column, sa, sb);
  const float scaled = Rules::template scaled<Y>(sum, sa, sb, bias);
  static_cast<Y*>(x.d)[Rules::place_of_d(row, column, x.pitch_d)] =
      Rules::has_bias(x) ? Rules::template with_bias<Y>(scaled, bias) : simt::from_float<Y>(scaled);
}

/// A result in the format of d, as a number.
template <class Rules, class Y>
SIMT_DEVICE float result_of(const GemmArguments& x, int64_t row, int64_t column, float sum) {
  const float sa = Rules::scale_of_row(x, row), sb = Rules::scale_of_column(x, column);
  return simt::to_float(simt::from_float<Y>(Rules::template scaled<Y>(sum, sa, sb, 0.0f)));
}

/// The result of a part added to those before it, as d holds them.
template <class Rules, class Y>
SIMT_DEVICE float added_result(const GemmArguments& x, int64_t row, int64_t column, float before, float part) {
  return simt::to_float(simt::from_float<Y>(before + result_of<Rules, Y>(x, row, column, part)));
}

template <class U, class Rules, int kWarp>
SIMT_KERNEL void scaled_product(GemmArguments x) {
  constexpr int kThreads = units::kThreads<U, kWarp>;
  constexpr int64_t kEvery = Rules::kPromote > 0 ? Rules::kPromote : 1;
  SIMT_SHARED StagedStep<U> step;
  const int64_t across = (x.n + U::kN - 1) / U::kN;
  const int64_t row = simt::block() / across * U::kM, column = simt::block() % across * U::kN;
  units::Operands factors{step.a, step.b, U::kK, U::kK};
  units::Tile<U, kWarp> chain;
  float promoted[chain.kElements], sum[chain.kElements];
  const int64_t k = Rules::products(x.k);
  SIMT_UNROLL
  for (int i = 0; i < chain.kElements; ++i) sum[i] = 0.0f;
  for (int64_t part = 0; part < k; part += x.part) {
    const int64_t end = part + x.part < k ? part + x.part : k;
    SIMT_UNROLL
    for (int i = 0; i < chain.kElements; ++i) chain.at[i] = 0, promoted[i] = 0.0f;
    const int64_t last = end_of_periods<Rules>(part, end);
    for (int64_t at = part; at < last; at += U::kK) {
      stage<Rules, kThreads>(step, x, row, column, at, end);
      simt::barrier();
      units::mma<U, kWarp>(chain, factors);
      simt::barrier();
      const bool promotes = Rules::kPromote > 0 && ((at + U::kK - part) % kEvery == 0 || at + U::kK >= last);
      SIMT_UNROLL
      for (int i = 0; i < chain.kElements && promotes; ++i) {
        promoted[i] = promoted[i] + number_of_sum<U>(chain.at[i]);
        chain.at[i] = 0;
      }
    }
    if (!Rules::keeps_part(part, end, k)) continue;
    SIMT_UNROLL
    for (int i = 0; i < chain.kElements; ++i) {
      const int64_t r = row + chain.row(i), c = column + chain.column(i);
      const bool within = r < x.m && c < x.n;
      const float of_part = Rules::kPromote > 0 ? promoted[i] : within ? Rules::number(x, chain.at[i], r, c) : 0.0f;
      if constexpr (Rules::kAddsResults) {
        if (!within) continue;
        sum[i] = x.y == ResultType::kBf16 ? added_result<Rules, simt::Bf16>(x, r, c, sum[i], of_part)
                                          : added_result<Rules, simt::F16>(x, r, c, sum[i], of_part);
      } else {
        sum[i] = part == 0 ? of_part : sum[i] + of_part;
      }
    }
  }
  SIMT_UNROLL
  for (int i = 0; i < chain.kElements; ++i) {
    const int64_t r = row + chain.row(i), c = column + chain.column(i);
    if (r >= x.m || c >= x.n) continue;
    if constexpr (Rules::kAddsResults) {
      const int64_t at = Rules::place_of_d(r, c, x.pitch_d);
      if (x.y == ResultType::kBf16) static_cast<simt::Bf16*>(x.d)[at] = simt::from_float<simt::Bf16>(sum[i]);
      if (x.y == ResultType::kF16) static_cast<simt::F16*>(x.d)[at] = simt::from_float<simt::F16>(sum[i]);
      continue;
    }
    if (x.y == ResultType::kF32) store<Rules, float>(x, r, c, sum[i]);
    if (x.y == ResultType::kBf16) store<Rules, simt::Bf16>(x, r, c, sum[i]);
    if (x.y == ResultType::kF16) store<Rules, simt::F16>(x, r, c, sum[i]);
  }
}

template <class Rules, int kParts>
void run_gemm(const Call& call) {
  using U = typename Rules::Unit;
  GemmArguments x =
      gemm_arguments(call, kTypeCode<typename Rules::CodesOfA>, kTypeCode<typename Rules::CodesOfB>, Rules::kTakesBias, Rules::kAzp);
  expect_weight<Rules>(x);
  if (Rules::kAddsResults && x.y == ResultType::kF32) unsupported("atomics add results of 16 bits");
  if (kParts > 1) x.part = part_of(x.k, kParts, 128);
  const int64_t tiles = (x.m + U::kM - 1) / U::kM * ((x.n + U::kN - 1) / U::kN);
  if (tiles == 0) return;
  with_warp(call, [&](auto warp) {
    simt::launch(scaled_product<U, Rules, warp.value>, call.grid(tiles, units::kThreads<U, warp.value>), x);
  });
}

}  // namespace assay_kernels
