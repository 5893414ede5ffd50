// The largest magnitude of what one thread has, by the rule of a contract for NaN.
#pragma once

#include "kernels/simt/simt.h"

namespace assay_kernels {

/// And of what it had before.
template <class Rules, int kElements>
SIMT_DEVICE float widest_of(const float (&v)[kElements], float widest = 0.0f) {
  SIMT_UNROLL
  for (int i = 0; i < kElements; ++i) widest = Rules::widest(widest, simt::magnitude(v[i]));
  return widest;
}

/// Of loads of a 16-bit type T, two numbers at a time; NaN is dropped.
template <class T, int kLoads>
SIMT_DEVICE float widest_number_of(const simt::Vector<uint32_t> (&words)[kLoads]) {
  float low, high;
  uint32_t pairs = 0;
  SIMT_UNROLL
  for (int i = 0; i < 4 * kLoads; ++i) pairs = simt::widest_pairs<T>(pairs, words[i / 4].at[i % 4]);
  simt::pair_to_floats<T>(pairs, low, high);
  return simt::max_number(low, high);
}

/// The same by the rule of a contract for NaN.
template <class Rules, class T, int kLoads>
SIMT_DEVICE float widest_of(const simt::Vector<uint32_t> (&words)[kLoads]) {
  if constexpr (Rules::kDropsNan) {
    return widest_number_of<T>(words);
  } else {
    float low, high, widest = 0.0f;
    SIMT_UNROLL
    for (int i = 0; i < 4 * kLoads; ++i) {
      simt::pair_to_floats<T>(words[i / 4].at[i % 4], low, high);
      widest = Rules::widest(Rules::widest(widest, simt::magnitude(low)), simt::magnitude(high));
    }
    return widest;
  }
}

}  // namespace assay_kernels
