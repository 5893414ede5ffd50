// A row and its residual: their sum is normalised, and stored in place of the residual.
#pragma once

#include "kernels/ops/rms_norm/row.h"

namespace assay_kernels {

/// What a thread keeps of a sum: its 16 bits if those are normalised, else fp32.
template <class Rules, class T>
using HeldSum = std::conditional_t<Rules::kNormalizesRounded, simt::Vector<T>, Widened<T>>;

template <class Rules, class T, int kLoads, int kRun = 1>
using AddedRow = Row<T, kLoads, kRun, HeldSum<Rules, T>>;

template <class T>
SIMT_DEVICE void hold(const float (&)[simt::Vector<T>::kElements], const simt::Vector<T>& narrow, simt::Vector<T>& held) {
  held = narrow;
}
template <class T>
SIMT_DEVICE void hold(const float (&wide)[simt::Vector<T>::kElements], const simt::Vector<T>&, Widened<T>& held) {
  SIMT_UNROLL
  for (int i = 0; i < simt::Vector<T>::kElements; ++i) held.at[i] = wide[i];
}

/// Adds, stores, and gives the thread's sum of squares. A load is read and written by one thread, so it may be in place.
template <class Rules, class T, int kLoads, int kRun>
SIMT_DEVICE float add_row(const T* x, T* residual, int loads, AddedRow<Rules, T, kLoads, kRun>& row) {
  constexpr int kElements = simt::Vector<T>::kElements;
  const int covered = Rules::covered(loads, simt::block_size());
  float sum = 0.0f;
  SIMT_UNROLL
  for (int k = 0; k < kLoads; ++k) {
    const int load = row.load_of(k);
    const bool live = load < covered;
    const auto a = live ? simt::load16(x + load * kElements) : simt::Vector<T>{};
    const auto b = live ? simt::load16(residual + load * kElements) : simt::Vector<T>{};
    float v[kElements];
    SIMT_UNROLL
    for (int i = 0; i < kElements; ++i) v[i] = Rules::sum(simt::to_float(a.at[i]), simt::to_float(b.at[i]));
    const auto narrow = rounded<T, typename Rules::Store>(v);
    if (load < loads && Rules::stores_residual()) simt::store16(residual + load * kElements, narrow);
    SIMT_UNROLL
    for (int i = 0; i < kElements; ++i) {
      const float z = Rules::kSquaresRounded ? simt::to_float(narrow.at[i]) : v[i];
      sum += z * z;
    }
    hold<T>(v, narrow, row.at[k]);
  }
  return sum;
}

/// A row that is normalized, summed with its residual if the rules say so, and its factor.
template <class Rules, class T, int kWarp, int kLoads, int kRun>
struct NormalizedRow {
  std::conditional_t<Rules::kAdds, AddedRow<Rules, T, kLoads, kRun>, Row<T, kLoads, kRun>> row;
  float r;

  /// The row begins `first` elements behind x and residual; the latter may be null if nothing is added.
  SIMT_DEVICE NormalizedRow(const T* x, T* residual, int64_t first, int loads, float eps) {
    if constexpr (Rules::kAdds) {
      const float sum = add_row<Rules, T, kLoads, kRun>(x + first, residual + first, loads, row);
      r = block_factor<Rules, kWarp>(sum, loads * row.kElements, eps);
    } else {
      row = load_row<T, kLoads, kRun>(x + first, Rules::covered(loads, simt::block_size()));
      r = row_factor<Rules, kWarp>(row, loads, eps);
    }
  }
};

}  // namespace assay_kernels
