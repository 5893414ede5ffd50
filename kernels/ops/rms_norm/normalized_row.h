// The row of a block and its factor. Threads take runs of kRun neighbouring loads, and neighbouring threads neighbouring runs. A
// norm with a gate is one that stays fp32 (for_each()).
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

  SIMT_DEVICE explicit NormalizedRow(const NormArguments<T>& a)
      : gamma_(a.gamma), gate_(a.gate + simt::block() * (Rules::kGates ? a.n : 0)), n_(a.n) {
    const T* x = a.x + simt::block() * Rules::pitch(a.pitch, a.n);
    T* residual = a.residual + simt::block() * (Rules::kAdds ? a.n : 0);
    const int covered = Rules::covered(a.n, kElements, simt::block_size());
    // All loads before the first sum: they are in flight together.
    simt::Vector<uint32_t> mine[kLoads], other[kLoads];
    SIMT_UNROLL
    for (int k = 0; k < kLoads; ++k) {
      const int first = load_of(k) * kElements;
      mine[k] = load_of_row(x, first, covered, true);
      if (Rules::kAdds) other[k] = load_of_row(residual, first, covered, true);
    }
    float sum = 0.0f;
    SIMT_UNROLL
    for (int k = 0; k < kLoads; ++k) {
      const int first = load_of(k) * kElements;
      simt::Vector<T> stored;
      row_[k] = square_load<Rules, T>(first, mine[k], other[k], sum, stored);
      if (Rules::kAdds && Rules::stores_residual()) store_of_row(residual, first, n_, true, stored);
    }
    r_ = block_factor<Rules, kWarp>(sum, a.n, a.eps);
  }

  /// Calls f(first element, v) with each run of the thread: kRun loads before their last rounding. All threads of the block make
  /// as many calls; beyond the row's end v is of zeros.
  template <class F>
  SIMT_DEVICE void for_each(F f) const {
    SIMT_UNROLL
    for (int k = 0; k < kLoads; k += kRun) {
      const int first = load_of(k) * kElements;
      float v[kRun][kElements];
      SIMT_UNROLL
      for (int j = 0; j < kRun; ++j) {
        normalize<Rules, T>(row_[k + j], r_, load_of_row(gamma_, first + j * kElements, n_, true), v[j]);
        if constexpr (Rules::kGates) multiply_by_gate<Rules, T>(load_of_row(gate_, first + j * kElements, n_, true), v[j]);
      }
      f(first, v);
    }
  }

  /// The same with the words of loads that are rounded.
  template <class F>
  SIMT_DEVICE void for_each_rounded(F f) const {
    SIMT_UNROLL
    for (int k = 0; k < kLoads; k += kRun) {
      const int first = load_of(k) * kElements;
      simt::Vector<uint32_t> words[kRun];
      SIMT_UNROLL
      for (int j = 0; j < kRun; ++j)
        words[j] = normalized_words<Rules, T>(row_[k + j], r_, load_of_row(gamma_, first + j * kElements, n_, true));
      f(first, words);
    }
  }

  SIMT_DEVICE void finish() const {}

 private:
  SIMT_DEVICE static int load_of(int k) { return (k / kRun * simt::block_size() + simt::thread()) * kRun + k % kRun; }

  Held<Rules, T> row_[kLoads];
  const T *gamma_, *gate_;
  int n_;
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
    if (Rules::kGates) a_.gate += simt::block() * a.n;
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
        normalize<Rules, T>(read(at, unused, stored), r_, load_of_row(a_.gamma, at, a_.n, false), v[j]);
        if constexpr (Rules::kGates) multiply_by_gate<Rules, T>(load_of_row(a_.gate, at, a_.n, false), v[j]);
      }
      f(first, v);
    }
  }

  template <class F>
  SIMT_DEVICE void for_each_rounded(F f) const {
    float unused = 0.0f;
    simt::Vector<T> stored;
    for (int round = 0; round < a_.n; round += step()) {
      const int first = round + first_of_thread();
      simt::Vector<uint32_t> words[kRun];
      SIMT_UNROLL
      for (int j = 0; j < kRun; ++j) {
        const int at = first + j * kElements;
        words[j] = normalized_words<Rules, T>(read(at, unused, stored), r_, load_of_row(a_.gamma, at, a_.n, false));
      }
      f(first, words);
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
  SIMT_DEVICE Held<Rules, T> read(int first, float& sum, simt::Vector<T>& stored) const {
    const int covered = Rules::covered(a_.n, kElements, simt::block_size());
    simt::Vector<uint32_t> residual{};
    if (Rules::kAdds) residual = load_of_row(a_.residual, first, covered, false);
    return square_load<Rules, T>(first, load_of_row(a_.x, first, covered, false), residual, sum, stored);
  }

  NormArguments<T> a_;
  float r_;
};

}  // namespace assay_kernels
