// The row of a block and its factor. Threads take runs of kRun neighbouring loads, and neighbouring threads neighbouring runs.
#pragma once

#include "kernels/ops/rms_norm/row.h"

namespace assay_kernels {

/// The row in registers, kLoads loads of a thread: whole loads of 16 bytes, aligned. A sum with the residual is stored at once; a
/// load is read and written by one thread, so it may be in place.
template <class Rules, class T, int kWarp, int kLoads, int kRun = 1>
class NormalizedRow {
 public:
  static constexpr int kElements = simt::Vector<T>::kElements;
  static constexpr bool kWhole = true;
  static constexpr int kKept = kLoads;

  SIMT_DEVICE explicit NormalizedRow(const NormArguments<T>& a) : gamma_(a.gamma), loads_(a.n / kElements) {
    const T* x = a.x + simt::block() * Rules::pitch(a.pitch, a.n);
    T* residual = a.residual + simt::block() * (Rules::kAdds ? a.n : 0);
    const int covered = Rules::covered(a.n, kElements, simt::block_size()) / kElements;
    // All loads before the first sum: they are in flight together.
    simt::Vector<T> mine[kLoads], other[kLoads];
    SIMT_UNROLL
    for (int k = 0; k < kLoads; ++k) {
      const int load = load_of(k);
      mine[k] = load < covered ? simt::load16(x + load * kElements) : simt::Vector<T>{};
      if (Rules::kAdds) other[k] = load < covered ? simt::load16(residual + load * kElements) : simt::Vector<T>{};
    }
    float sum = 0.0f;
    SIMT_UNROLL
    for (int k = 0; k < kLoads; ++k) {
      const int load = load_of(k);
      simt::Vector<T> stored;
      row_[k] = square_load<Rules>(load * kElements, mine[k], other[k], sum, stored);
      if (Rules::kAdds && load < loads_ && Rules::stores_residual()) simt::store16(residual + load * kElements, stored);
    }
    r_ = block_factor<Rules, kWarp>(sum, a.n, a.eps);
  }

  /// Calls f(first element, v) with each run of the thread: kRun loads before their last rounding. All threads of the block make
  /// as many calls; beyond the row's end v is of zeros.
  template <class F>
  SIMT_DEVICE void for_each(F f) const {
    simt::Vector<T> gamma[kLoads];
    SIMT_UNROLL
    for (int k = 0; k < kLoads; ++k)
      gamma[k] = load_of(k) < loads_ ? simt::load16(gamma_ + load_of(k) * kElements) : simt::Vector<T>{};
    SIMT_UNROLL
    for (int k = 0; k < kLoads; k += kRun) {
      float v[kRun][kElements];
      SIMT_UNROLL
      for (int j = 0; j < kRun; ++j) normalize<Rules>(row_[k + j], r_, gamma[k + j], v[j]);
      f(load_of(k) * kElements, v);
    }
  }

  SIMT_DEVICE void finish() const {}

 private:
  SIMT_DEVICE static int load_of(int k) { return (k / kRun * simt::block_size() + simt::thread()) * kRun + k % kRun; }

  Held<Rules, T> row_[kLoads];
  const T* gamma_;
  int loads_;
  float r_;
};

/// A row of any length at any address, read again by each for_each(). finish() stores the sum with the residual.
template <class Rules, class T, int kWarp, int kRun>
class NormalizedRow<Rules, T, kWarp, 0, kRun> {
 public:
  static constexpr int kElements = simt::Vector<T>::kElements;
  static constexpr bool kWhole = false;
  static constexpr int kKept = 0;

  SIMT_DEVICE explicit NormalizedRow(const NormArguments<T>& a) : a_(a) {
    a_.x += simt::block() * Rules::pitch(a.pitch, a.n);
    if (Rules::kAdds) a_.residual += simt::block() * a.n;
    float sum = 0.0f;
    simt::Vector<T> stored;
    for (int first = first_of_thread(); first < a.n; first += step())
      for (int j = 0; j < kRun; ++j) read(first + j * kElements, sum, stored);
    r_ = block_factor<Rules, kWarp>(sum, a.n, a.eps);
  }

  template <class F>
  SIMT_DEVICE void for_each(F f) const {
    float unused = 0.0f;
    simt::Vector<T> stored;
    for (int round = 0; round < a_.n; round += step()) {
      const int first = round + first_of_thread();
      float v[kRun][kElements];
      SIMT_UNROLL
      for (int j = 0; j < kRun; ++j) {
        const int at = first + j * kElements;
        normalize<Rules>(read(at, unused, stored), r_, part_of(a_.gamma, at), v[j]);
      }
      f(first, v);
    }
  }

  SIMT_DEVICE void finish() const {
    if (!Rules::kAdds || !Rules::stores_residual()) return;
    float unused = 0.0f;
    for (int first = first_of_thread(); first < a_.n; first += step()) {
      for (int j = 0; j < kRun; ++j) {
        simt::Vector<T> stored;
        read(first + j * kElements, unused, stored);
        store_of_row(a_.residual, first + j * kElements, a_.n, false, stored);
      }
    }
  }

 private:
  SIMT_DEVICE static int first_of_thread() { return simt::thread() * kRun * kElements; }
  SIMT_DEVICE static int step() { return simt::block_size() * kRun * kElements; }
  SIMT_DEVICE simt::Vector<T> part_of(const T* row, int first) const {
    return elements_of<T>(load_of_row(row, first, a_.n, false));
  }
  SIMT_DEVICE Held<Rules, T> read(int first, float& sum, simt::Vector<T>& stored) const {
    const simt::Vector<T> none{};
    const int covered = Rules::covered(a_.n, kElements, simt::block_size());
    const auto x = elements_of<T>(load_of_row(a_.x, first, covered, false));
    const auto other = Rules::kAdds ? elements_of<T>(load_of_row(a_.residual, first, covered, false)) : none;
    return square_load<Rules>(first, x, other, sum, stored);
  }

  NormArguments<T> a_;
  float r_;
};

}  // namespace assay_kernels
