// A row of one block, and its normalisation: shared by the norms with and without quantization.
#pragma once

#include <type_traits>

#include "kernels/ops/rms_norm/arguments.h"
#include "kernels/ops/rms_norm/rules.h"
#include "kernels/ops/row_loads.h"

namespace assay_kernels {

template <class T, class Store = StoreNearest>
SIMT_DEVICE simt::Vector<T> rounded(const float (&v)[simt::Vector<T>::kElements]) {
  simt::Vector<T> result;
  SIMT_UNROLL
  for (int i = 0; i < simt::Vector<T>::kElements; i += 2) Store::pair(v[i], v[i + 1], result.at[i], result.at[i + 1]);
  return result;
}

/// v as if it had been stored with the type of T, of norms that a quantization follows.
template <class Norm, class T>
SIMT_DEVICE void round_output(float (&v)[simt::Vector<T>::kElements]) {
  if (!Norm::kRoundsOutput) return;
  const auto y = rounded<T, typename Norm::Store>(v);
  SIMT_UNROLL
  for (int i = 0; i < simt::Vector<T>::kElements; ++i) v[i] = simt::to_float(y.at[i]);
}

/// x r gamma before its last rounding; x as loaded, or in fp32.
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

/// r of a block from the sums of its threads: rsqrt(mean(x^2) + eps). Sum as in vLLM: each thread its elements in order, then
/// lanes, then warps. Depth at most k ceil(n / (k threads)) - 1 + log2(kWarp) + 3 additions, k elements in a load: 39 for 16-bit
/// rows of 7168 and 8 warps of 32.
template <class Rules, int kWarp>
SIMT_DEVICE float block_factor(float sum, int n, float eps) {
  sum = simt::block_reduce<kWarp>(
      sum, 0.0f, [](float a, float b) { return a + b; }, [] { Rules::published(); });
  return Rules::factor(Rules::mean(sum, float(n)), Rules::share(eps, float(n)));
}

/// As many numbers as a load of T has, in fp32.
template <class T>
struct Widened {
  float at[simt::Vector<T>::kElements];
};

/// What is kept of a load once it was squared: its sum with the residual in fp32 if that is normalised so, else 16 bits of it.
template <class Rules, class T>
using Held = std::conditional_t<Rules::kAdds && !Rules::kNormalizesRounded, Widened<T>, simt::Vector<T>>;

/// Squares the load of columns from `first` on and keeps what is normalised. A sum with the residual is left in `stored`, as it is stored.
template <class Rules, class T>
SIMT_DEVICE Held<Rules, T> square_load(int first, const simt::Vector<T>& x, const simt::Vector<T>& residual, float& sum,
                                       simt::Vector<T>& stored) {
  constexpr int kElements = simt::Vector<T>::kElements;
  float v[kElements];
  SIMT_UNROLL
  for (int i = 0; i < kElements; ++i) {
    v[i] = simt::to_float(x.at[i]);
    if (Rules::kAdds) v[i] = Rules::sum(v[i], simt::to_float(residual.at[i]));
  }
  stored = Rules::kAdds ? rounded<T, typename Rules::Store>(v) : x;
  SIMT_UNROLL
  for (int i = 0; i < kElements; ++i) {
    const float z = Rules::kAdds && Rules::kSquaresRounded ? simt::to_float(stored.at[i]) : v[i];
    sum += z * z;
  }
  if constexpr (std::is_same_v<Held<Rules, T>, Widened<T>>) {
    Widened<T> wide;
    SIMT_UNROLL
    for (int i = 0; i < kElements; ++i)
      wide.at[i] = Rules::normalizes_stored(first + i) ? simt::to_float(stored.at[i]) : v[i];
    return wide;
  } else {
    return stored;
  }
}

}  // namespace assay_kernels
