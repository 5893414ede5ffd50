// The result of a norm in front of a quantization by one scale.
#pragma once

#include "kernels/ops/rms_norm/normalized_row.h"

namespace assay_kernels {

/// Results of a row for those who need them twice: in registers, in 16 bits if the norm rounds them.
template <class Norm, class T, class Row, int kLoads = Row::kKept>
class Results {
 public:
  static constexpr bool kWhole = true;

  SIMT_DEVICE explicit Results(const Row& row) {
    int k = 0;
    row.for_each([&](int first, auto& v) {
      first_[k] = first;
      keep(v[0], at_[k++]);
    });
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
  SIMT_DEVICE static void keep(const float (&v)[Row::kElements], simt::Vector<uint32_t>& kept) {
    kept = words_of(rounded<T, typename Norm::Store>(v));
  }
  SIMT_DEVICE static void keep(const float (&v)[Row::kElements], Widened<T>& kept) {
    SIMT_UNROLL
    for (int i = 0; i < Row::kElements; ++i) kept.at[i] = v[i];
  }

  std::conditional_t<Norm::kRoundsOutput, simt::Vector<uint32_t>, Widened<T>> at_[kLoads];
  int first_[kLoads];
};

/// Of a row that is read again each time, and of one whose results are needed once.
template <class Norm, class T, class Row>
class Results<Norm, T, Row, 0> {
 public:
  static constexpr bool kWhole = Row::kWhole;

  SIMT_DEVICE explicit Results(const Row& row) : row_(row) {}

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
template <class Rules, class Results>
SIMT_DEVICE void store_codes(const Results& results, uint8_t* q, int n, typename Rules::Element element) {
  results.for_each([&](int first, auto& v) {
    SIMT_UNROLL
    for (float& u : v) u = Rules::clamp(element(u));
    store_of_row<typename Rules::Code>(q + simt::block() * n, first, n, Results::kWhole, v);
  });
}

}  // namespace assay_kernels
