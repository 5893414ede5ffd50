// The row of a block, load by load, for those who go through it more than once.
#pragma once

#include "kernels/ops/row_loads.h"

namespace assay_kernels {

/// In registers, kLoads of a thread: whole loads of 16 bytes, aligned.
template <class T, int kLoads>
class LoadsOfRow {
 public:
  static constexpr int kElements = simt::Vector<T>::kElements;
  static constexpr bool kWhole = true;

  SIMT_DEVICE LoadsOfRow(const T* row, int n) {
    SIMT_UNROLL
    for (int k = 0; k < kLoads; ++k) kept_[k] = load_of_row(row, first_of(k), n, true);
  }

  /// Calls f(first element, v) with each load of the thread in fp32; beyond the row's end v is of zeros.
  template <class F>
  SIMT_DEVICE void for_each(F f) const {
    SIMT_UNROLL
    for (int k = 0; k < kLoads; ++k) {
      float v[kElements];
      widen<T>(kept_[k], v);
      f(first_of(k), v);
    }
  }

 private:
  SIMT_DEVICE static int first_of(int k) { return (k * simt::block_size() + simt::thread()) * kElements; }

  simt::Vector<uint32_t> kept_[kLoads];
};

/// Of any length at any address, read again each time.
template <class T>
class LoadsOfRow<T, 0> {
 public:
  static constexpr int kElements = simt::Vector<T>::kElements;
  static constexpr bool kWhole = false;

  SIMT_DEVICE LoadsOfRow(const T* row, int n) : row_(row), n_(n) {}

  template <class F>
  SIMT_DEVICE void for_each(F f) const {
    for (int first = simt::thread() * kElements; first < n_; first += simt::block_size() * kElements) {
      float v[kElements];
      widen<T>(load_of_row(row_, first, n_, false), v);
      f(first, v);
    }
  }

 private:
  const T* row_;
  int n_;
};

/// The weights of a load of T, which may be of another type.
template <class T, class W>
SIMT_DEVICE void widen_weights(const W* weights, int first, int n, bool whole, float (&v)[simt::Vector<T>::kElements]) {
  constexpr int kPart = simt::Vector<W>::kElements;
  SIMT_UNROLL
  for (int part = 0; part < simt::Vector<T>::kElements; part += kPart) {
    float w[kPart];
    widen<W>(load_of_row(weights, first + part, n, whole), w);
    SIMT_UNROLL
    for (int i = 0; i < kPart; ++i) v[part + i] = w[i];
  }
}

}  // namespace assay_kernels
