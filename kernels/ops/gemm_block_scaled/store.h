// An element of the result of a matrix product with scales of blocks.
#pragma once

#include "kernels/ops/gemm_block_scaled/rules.h"

namespace assay_kernels {

template <class Rules, class Y>
SIMT_DEVICE void store_block(const BlockGemmArguments& x, int64_t row, int64_t column, float acc) {
  const float c = x.c ? simt::to_float(static_cast<const Y*>(x.c)[row * x.n + column]) : 0.0f;
  static_cast<Y*>(x.d)[Rules::place_of_d(row, column, x.pitch_d)] = Rules::template stored<Y>(Rules::result(acc, c));
}

/// The result of a part added to those before it, as d holds them.
template <class Rules, class Y>
SIMT_DEVICE float added_block_result(float before, float acc) {
  return simt::to_float(simt::from_float<Y>(before + simt::to_float(Rules::template stored<Y>(Rules::result(acc, 0.0f)))));
}

template <class Rules>
SIMT_DEVICE float added_block_result_as(ResultType y, float before, float acc) {
  return y == ResultType::kBf16 ? added_block_result<Rules, simt::Bf16>(before, acc) : added_block_result<Rules, simt::F16>(before, acc);
}

template <class Rules>
SIMT_DEVICE void store_as(const BlockGemmArguments& x, int64_t row, int64_t column, float acc) {
  if (x.y == ResultType::kF32) store_block<Rules, float>(x, row, column, acc);
  if (x.y == ResultType::kBf16) store_block<Rules, simt::Bf16>(x, row, column, acc);
  if (x.y == ResultType::kF16) store_block<Rules, simt::F16>(x, row, column, acc);
}

}  // namespace assay_kernels
