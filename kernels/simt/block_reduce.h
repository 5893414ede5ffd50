// Reductions over all threads of a block in two stages (lanes of a warp, then warps), and wide loads for kernels that apply the
// same operation to several 16-byte vectors (SIMT_WIDE_KERNEL).
#pragma once

#include "kernels/simt/simt.h"

namespace simt {

inline constexpr int kMaxBlockThreads = 256;

/// Reduces with combine() over all threads of the block; every thread gets the result. `neutral` is combine()'s neutral element.
/// `published` is the barrier between writes and reads of the warps' results. Depth: log2(kWarp) + 3. Each call in a kernel needs
/// its own kCall, so that the calls use different shared memory and need no barrier between them.
template <int kWarp, int kCall = 0, class Combine, class Published>
SIMT_DEVICE float block_reduce(float value, float neutral, Combine combine, Published published) {
  constexpr int kWarps = kMaxBlockThreads / 32;
  SIMT_SHARED(warp_results, float[kWarps]);
  value = lane_reduce<kWarp, kWarp>(value, combine);
  if (thread() % kWarp == 0) warp_results[thread() / kWarp] = value;
  published();
  const int warps = block_size() / kWarp;
  float tree[kWarps];
  SIMT_UNROLL
  for (int w = 0; w < kWarps; ++w) tree[w] = w < warps ? warp_results[w] : neutral;
  SIMT_UNROLL
  for (int half = kWarps / 2; half > 0; half /= 2) {
    SIMT_UNROLL
    for (int w = 0; w < half; ++w) tree[w] = combine(tree[w], tree[w + half]);
  }
  return tree[0];
}

/// Threads for a block that makes `loads` 16-byte loads: a whole number of warps, at most kMaxBlockThreads.
inline int block_threads(int64_t loads, int warp) {
  // First the fewest passes that kMaxBlockThreads threads allow, then no more threads than these passes need.
  const int64_t passes = (loads + kMaxBlockThreads - 1) / kMaxBlockThreads;
  const int64_t each = passes <= 1 ? loads : (loads + passes - 1) / passes;
  const int64_t warps = (each + warp - 1) / warp;
  return int(warps) * warp < kMaxBlockThreads ? int(warps) * warp : kMaxBlockThreads;
}

template <int kCount, class T>
SIMT_DEVICE void load_wide(const T* from, T (&to)[kCount]) {
  SIMT_UNROLL
  for (int i = 0; i < kCount; i += Vector<T>::kElements) {
    const Vector<T> v = load16(from + i);
    __builtin_memcpy(to + i, &v, sizeof v);
  }
}

template <int kCount, class T>
SIMT_DEVICE void store_wide(T* to, const T (&from)[kCount]) {
  SIMT_UNROLL
  for (int i = 0; i < kCount; i += Vector<T>::kElements) {
    Vector<T> v;
    __builtin_memcpy(&v, from + i, sizeof v);
    store16(to + i, v);
  }
}

}  // namespace simt
