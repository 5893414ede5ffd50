// A row in the registers of one block, and its normalisation: shared by the kernels with and without quantization.
#pragma once

#include <type_traits>

#include "kernels/ops/rms_norm/rules.h"
#include "kernels/simt/block_reduce.h"

namespace assay_kernels {

/// As many numbers as a load of T has, in fp32: a sum that was not rounded.
template <class T>
struct Widened {
  float at[simt::Vector<T>::kElements];
};

/// A thread holds runs of kRun neighbouring loads, and neighbouring threads hold neighbouring runs.
template <class T, int kLoads, int kRun = 1, class Held = simt::Vector<T>>
struct Row {
  static constexpr int kElements = simt::Vector<T>::kElements;
  Held at[kLoads];
  SIMT_DEVICE static int load_of(int k) { return (k / kRun * simt::block_size() + simt::thread()) * kRun + k % kRun; }
};

template <class T, int kLoads, int kRun = 1>
SIMT_DEVICE Row<T, kLoads, kRun> load_row(const T* x, int loads) {
  Row<T, kLoads, kRun> row;
  SIMT_UNROLL
  for (int k = 0; k < kLoads; ++k) {
    const int load = row.load_of(k);
    row.at[k] = load < loads ? simt::load16(x + load * row.kElements) : simt::Vector<T>{};
  }
  return row;
}

/// r of a block from the sums of its threads.
template <class Rules, int kWarp>
SIMT_DEVICE float block_factor(float sum, int n, float eps) {
  sum = simt::block_reduce<kWarp>(
      sum, 0.0f, [](float a, float b) { return a + b; }, [] { Rules::published(); });
  return Rules::factor(Rules::mean(sum, float(n)), Rules::share(eps, float(n)));
}

/// r = rsqrt(mean(x^2) + eps). Sum as in vLLM: each thread its elements in order, then lanes, then warps. Depth at most
/// k ceil(n / (k threads)) - 1 + log2(kWarp) + 3 additions, k elements in a load: 39 for 16-bit rows of 7168 and 8 warps of 32.
template <class Rules, int kWarp, class T, int kLoads, int kRun>
SIMT_DEVICE float row_factor(const Row<T, kLoads, kRun>& row, int loads, float eps) {
  float sum = 0.0f;
  SIMT_UNROLL
  for (int k = 0; k < kLoads; ++k) {
    SIMT_UNROLL
    for (int i = 0; i < row.kElements; ++i) {
      const float x = simt::to_float(row.at[k].at[i]);
      sum += x * x;
    }
  }
  return block_factor<Rules, kWarp>(sum, loads * row.kElements, eps);
}

template <class T, class Store = StoreNearest>
SIMT_DEVICE simt::Vector<T> rounded(const float (&v)[simt::Vector<T>::kElements]) {
  simt::Vector<T> result;
  SIMT_UNROLL
  for (int i = 0; i < simt::Vector<T>::kElements; i += 2) Store::pair(v[i], v[i + 1], result.at[i], result.at[i + 1]);
  return result;
}

/// x r gamma before its last rounding; x as loaded, or widened.
template <class Rules, class T, class Held>
SIMT_DEVICE void normalize(const Held& x, float r, const simt::Vector<T>& gamma, float (&v)[simt::Vector<T>::kElements]) {
  constexpr int kElements = simt::Vector<T>::kElements;
  SIMT_UNROLL
  for (int i = 0; i < kElements; ++i) v[i] = simt::to_float(x.at[i]) * r;
  if (Rules::kRoundsBeforeWeight) {
    const auto narrow = rounded<T>(v);
    SIMT_UNROLL
    for (int i = 0; i < kElements; ++i) v[i] = simt::to_float(narrow.at[i]);
  }
  SIMT_UNROLL
  for (int i = 0; i < kElements; ++i) v[i] *= Rules::weight(simt::to_float(gamma.at[i]));
}

template <class Rules, class T, class Held>
SIMT_DEVICE simt::Vector<T> normalize(const Held& x, float r, const simt::Vector<T>& gamma) {
  float v[simt::Vector<T>::kElements];
  normalize<Rules>(x, r, gamma, v);
  return rounded<T, typename Rules::Store>(v);
}

/// What a quantization that follows is given.
template <class Rules, class T, class Held>
SIMT_DEVICE void normalize_to_float(const Held& x, float r, const simt::Vector<T>& gamma,
                                    float (&v)[simt::Vector<T>::kElements]) {
  normalize<Rules>(x, r, gamma, v);
  if (!Rules::kRoundsOutput) return;
  const auto y = rounded<T, typename Rules::Store>(v);
  SIMT_UNROLL
  for (int i = 0; i < simt::Vector<T>::kElements; ++i) v[i] = simt::to_float(y.at[i]);
}

}  // namespace assay_kernels
