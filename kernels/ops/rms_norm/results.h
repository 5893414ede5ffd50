// The result of a norm in front of a quantization by one scale.
#pragma once

#include "kernels/ops/quant_group/quotients.h"
#include "kernels/ops/quant_group/widest.h"
#include "kernels/ops/rms_norm/normalized_row.h"

namespace assay_kernels {

/// Results of a row for those who need them twice: in registers, in 16 bits if the norm rounds them.
template <class Norm, class T, class Row, int kLoads = Row::kKept>
class Results {
 public:
  static constexpr bool kWhole = true;

  SIMT_DEVICE explicit Results(const Row& row) {
    int k = 0;
    if constexpr (Norm::kRoundsOutput) {
      row.for_each_rounded([&](int first, const auto& words) {
        first_[k] = first;
        at_[k++] = words[0];
      });
    } else {
      row.for_each([&](int first, const auto& v) {
        first_[k] = first;
        SIMT_UNROLL
        for (int i = 0; i < Row::kElements; ++i) at_[k].at[i] = v[0][i];
        ++k;
      });
    }
  }

  template <class Group>
  SIMT_DEVICE float widest() const {
    if constexpr (Norm::kRoundsOutput) {
      return widest_of<Group, T>(at_);
    } else {
      float widest = 0.0f;
      SIMT_UNROLL
      for (int k = 0; k < kLoads; ++k) widest = widest_of<Group>(at_[k].at, widest);
      return widest;
    }
  }

  /// Calls f(first element, v) with each load of the thread.
  template <class F>
  SIMT_DEVICE void for_each(F f) const {
    SIMT_UNROLL
    for (int k = 0; k < kLoads; ++k) {
      float v[Row::kElements];
      in_fp32<T>(at_[k], v);
      f(first_[k], v);
    }
  }

 private:
  std::conditional_t<Norm::kRoundsOutput, simt::Vector<uint32_t>, Widened<T>> at_[kLoads];
  int first_[kLoads];
};

/// Of a row that is read again each time, and of one whose results are needed once.
template <class Norm, class T, class Row>
class Results<Norm, T, Row, 0> {
 public:
  static constexpr bool kWhole = Row::kWhole;

  SIMT_DEVICE explicit Results(const Row& row) : row_(row) {}

  template <class Group>
  SIMT_DEVICE float widest() const {
    float widest = 0.0f;
    for_each([&](int /*first*/, const auto& v) { widest = widest_of<Group>(v, widest); });
    return widest;
  }

  template <class F>
  SIMT_DEVICE void for_each(F f) const {
    row_.for_each([&](int first, auto& v) {
      round_output<Norm, T>(v[0]);
      f(first, v[0]);
    });
  }

 private:
  const Row& row_;
};

/// Codes of a row of n by one scale.
template <class Results, class Codes>
SIMT_DEVICE void store_codes(const Results& results, uint8_t* q, int n, const Codes& codes_of) {
  uint8_t* const row = q + simt::block() * n;
  results.for_each([&](int first, const auto& v) {
    if (first >= n) return;
    uint32_t codes[2];
    codes_of(v, codes);
    if constexpr (Results::kWhole) {
      simt::store8(row + first, codes[0], codes[1]);
    } else {
      SIMT_UNROLL
      for (int i = 0; i < 8; ++i)
        if (first + i < n) row[first + i] = uint8_t(codes[i / 4] >> (8 * (i % 4)));
    }
  });
}

}  // namespace assay_kernels
