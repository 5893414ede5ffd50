// y = (x - mean(x)) / sqrt(variance(x) + eps) * gamma + beta, one block a row.
#pragma once

#include "kernels/ops/layer_norm/loads.h"
#include "kernels/ops/layer_norm/rules.h"
#include "kernels/ops/rms_norm/row.h"
#include "kernels/ops/tree_sum.h"

namespace assay_kernels {

template <class T, class W>
struct LayerArguments {
  const T* x;
  const W *gamma, *beta;
  int64_t pitch;  ///< from a row of x to the next, in elements
  int32_t n;
  float eps;
};

/// Sum of the block, in the order of block_factor() of rms_norm. kCall: see simt::block_reduce.
template <class Rules, int kWarp, int kCall>
SIMT_DEVICE float block_sum(float value) {
  return simt::block_reduce<kWarp, kCall>(
      value, 0.0f, [](float a, float b) { return a + b; }, [] { Rules::published(); });
}

/// The mean first, and then the squares of what is left, over a row in registers; with Rules::kOnePass both sums at once. kLoads
/// 0: rows of any length at any address, read again each time.
template <class Rules, class T, class W, int kWarp, int kLoads>
SIMT_KERNEL void layer_norm(LayerArguments<T, W> a, T* y) {
  using Row = LoadsOfRow<T, kLoads>;
  constexpr int kElements = Row::kElements;
  const Row row(a.x + simt::block() * a.pitch, a.n);
  float sum = 0.0f, squares = 0.0f;
  row.for_each([&](int /*first*/, const float(&v)[kElements]) {
    sum += tree_sum<0, kElements>([&](int i) { return v[i]; });
    if (Rules::kOnePass) squares += tree_sum<0, kElements>([&](int i) { return v[i] * v[i]; });
  });
  const float n = float(a.n), mean = Rules::mean(block_sum<Rules, kWarp, 0>(sum), n);
  if (!Rules::kOnePass) {
    row.for_each([&](int first, const float(&v)[kElements]) {
      float d[kElements];
      SIMT_UNROLL
      for (int i = 0; i < kElements; ++i)
        d[i] = first + i < a.n ? Rules::deviation(v[i], mean) : 0.0f;  // beyond the end 0 - mean would count
      squares += tree_sum<0, kElements>([&](int i) { return d[i] * d[i]; });
    });
  }
  const float r = Rules::factor(Rules::variance(block_sum<Rules, kWarp, 1>(squares), n, mean), a.eps);
  row.for_each([&](int first, float(&v)[kElements]) {
    float gamma[kElements], beta[kElements];
    widen_weights<T>(a.gamma, first, a.n, Row::kWhole, gamma);
    widen_weights<T>(a.beta, first, a.n, Row::kWhole, beta);
    SIMT_UNROLL
    for (int i = 0; i < kElements; ++i) v[i] = Rules::centered(v[i], mean) * r;
    if (Rules::kRoundsBeforeWeight) widen<T>(words_of(rounded<T>(v)), v);
    SIMT_UNROLL
    for (int i = 0; i < kElements; ++i) v[i] = Rules::weighted(v[i], gamma[i], beta[i]);
    store_of_row(y + simt::block() * a.n, first, a.n, Row::kWhole, rounded<T>(v));
  });
}

}  // namespace assay_kernels
