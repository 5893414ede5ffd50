// A row in the registers of one block, and its normalisation: shared by the kernels with and without quantization.
#pragma once

#include "kernels/ops/rms_norm/rules.h"
#include "kernels/simt/block_reduce.h"

namespace assay_kernels {

/// A thread holds runs of kRun neighbouring loads, and neighbouring threads hold neighbouring runs.
template <class T, int kLoads, int kRun = 1>
struct Row {
  static constexpr int kElements = simt::Vector<T>::kElements;
  simt::Vector<T> at[kLoads];
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
  sum = simt::block_reduce<kWarp>(
      sum, 0.0f, [](float a, float b) { return a + b; }, [] { Rules::published(); });
  return Rules::factor(Rules::mean(sum, float(loads * row.kElements)), eps);
}

template <class T>
SIMT_DEVICE simt::Vector<T> rounded(const float (&v)[simt::Vector<T>::kElements]) {
  simt::Vector<T> result;
  SIMT_UNROLL
  for (int i = 0; i < simt::Vector<T>::kElements; i += 2) simt::from_floats(v[i], v[i + 1], result.at[i], result.at[i + 1]);
  return result;
}

template <class Rules, class T>
SIMT_DEVICE simt::Vector<T> normalize(const simt::Vector<T>& x, float r, const simt::Vector<T>& gamma) {
  constexpr int kElements = simt::Vector<T>::kElements;
  float v[kElements];
  SIMT_UNROLL
  for (int i = 0; i < kElements; ++i) v[i] = simt::to_float(x.at[i]) * r;
  if (Rules::kRoundsBeforeWeight) {
    const auto narrow = rounded<T>(v);
    SIMT_UNROLL
    for (int i = 0; i < kElements; ++i) v[i] = simt::to_float(narrow.at[i]);
  }
  SIMT_UNROLL
  for (int i = 0; i < kElements; ++i) v[i] *= simt::to_float(gamma.at[i]);
  return rounded<T>(v);
}

}  // namespace assay_kernels
