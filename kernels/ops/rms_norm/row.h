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
  if (Norm::kRoundsOutput) widen<T>(words_of(rounded<T, typename Norm::Store>(v)), v);
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

/// What is kept of a load once it was squared: its sum with the residual in fp32 if that is normalised so, else its 16 bytes.
template <class Rules, class T>
using Held = std::conditional_t<Rules::kAdds && !Rules::kNormalizesRounded, Widened<T>, simt::Vector<uint32_t>>;

template <class T>
SIMT_DEVICE void in_fp32(const Widened<T>& held, float (&v)[simt::Vector<T>::kElements]) {
  SIMT_UNROLL
  for (int i = 0; i < simt::Vector<T>::kElements; ++i) v[i] = held.at[i];
}
template <class T>
SIMT_DEVICE void in_fp32(const simt::Vector<uint32_t>& held, float (&v)[simt::Vector<T>::kElements]) {
  widen<T>(held, v);
}

/// x r gamma before its last rounding.
template <class Rules, class T, class Held>
SIMT_DEVICE void normalize(const Held& held, float r, const simt::Vector<uint32_t>& gamma,
                           float (&v)[simt::Vector<T>::kElements]) {
  constexpr int kElements = simt::Vector<T>::kElements;
  in_fp32<T>(held, v);
  SIMT_UNROLL
  for (int i = 0; i < kElements; ++i) v[i] = Rules::kept(Rules::kept(v[i]) * r);
  if (Rules::kRoundsBeforeWeight) widen<T>(words_of(rounded<T>(v)), v);
  float weight[kElements];
  widen<T>(gamma, weight);
  SIMT_UNROLL
  for (int i = 0; i < kElements; ++i) v[i] = Rules::kept(v[i] * Rules::weight(weight[i]));
}

/// v times the activation of its gates.
template <class Rules, class T>
SIMT_DEVICE void multiply_by_gate(const simt::Vector<uint32_t>& gate, float (&v)[simt::Vector<T>::kElements]) {
  float g[simt::Vector<T>::kElements];
  widen<T>(gate, g);
  SIMT_UNROLL
  for (int i = 0; i < simt::Vector<T>::kElements; ++i) v[i] *= Rules::gate(g[i]);
}

/// x r gamma rounded to T. Two numbers of T have an exact product in fp32, so where x r is rounded first a product of pairs will
/// do.
template <class Rules, class T, class Held>
SIMT_DEVICE simt::Vector<uint32_t> normalized_words(const Held& held, float r, const simt::Vector<uint32_t>& gamma) {
  using Store = typename Rules::Store;
  float v[simt::Vector<T>::kElements];
  if constexpr (Rules::kRoundsBeforeWeight && Rules::kPlainWeights && std::is_same_v<Store, StoreNearest>) {
    in_fp32<T>(held, v);
    SIMT_UNROLL
    for (int i = 0; i < simt::Vector<T>::kElements; ++i) v[i] *= r;
    simt::Vector<uint32_t> words = words_of(rounded<T>(v));
    SIMT_UNROLL
    for (int i = 0; i < 4; ++i) words.at[i] = simt::multiply_pairs<T>(words.at[i], gamma.at[i]);
    return words;
  } else {
    normalize<Rules, T>(held, r, gamma, v);
    return words_of(rounded<T, Store>(v));
  }
}

/// Squares the load of columns from `first` on and keeps what is normalised. A sum with the residual is left in `stored`, as it
/// is stored.
template <class Rules, class T>
SIMT_DEVICE Held<Rules, T> square_load(int first, const simt::Vector<uint32_t>& x, const simt::Vector<uint32_t>& residual,
                                       float& sum, simt::Vector<T>& stored) {
  constexpr int kElements = simt::Vector<T>::kElements;
  float v[kElements], rest[kElements], narrow[kElements];
  widen<T>(x, v);
  if (Rules::kAdds) {
    widen<T>(residual, rest);
    SIMT_UNROLL
    for (int i = 0; i < kElements; ++i) v[i] = Rules::sum(v[i], rest[i]);
    stored = rounded<T, typename Rules::Store>(v);
    widen<T>(words_of(stored), narrow);
  }
  SIMT_UNROLL
  for (int i = 0; i < kElements; ++i) {
    const float z = Rules::kAdds && Rules::kSquaresRounded ? narrow[i] : v[i];
    sum += Rules::template square<T>(z);
  }
  if constexpr (std::is_same_v<Held<Rules, T>, Widened<T>>) {
    Widened<T> wide;
    SIMT_UNROLL
    for (int i = 0; i < kElements; ++i) wide.at[i] = Rules::normalizes_stored(first + i) ? narrow[i] : v[i];
    return wide;
  } else {
    return Rules::kAdds ? words_of(stored) : x;
  }
}

}  // namespace assay_kernels
