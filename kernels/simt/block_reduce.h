// One number from all threads of a block, in two stages: lanes of a warp, then the warps; and wide loads, for kernels that do the same to
// several vectors of sixteen bytes (SIMT_WIDE_KERNEL).
#pragma once

#include "kernels/simt/simt.h"

namespace simt {

inline constexpr int kMaxBlockThreads = 256;

/// combine() over all threads of the block; every thread gets the result. `neutral` leaves a number as it is. `published` is the
/// barrier between the warps' results and their readers. Depth: log2(kWarp) + 3. Each call in a kernel has a number kCall of its own:
/// what the warps publish lies apart, so that no barrier is needed between a call and the next.
template <int kWarp, int kCall = 0, class Combine, class Published>
SIMT_DEVICE float block_reduce(float value, float neutral, Combine combine, Published published) {
  constexpr int kWarps = kMaxBlockThreads / 32;
  SIMT_SHARED float warp_results[kWarps];
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

/// Threads of a block that gives each of them a load of `loads`, whole warps, at most kMaxBlockThreads.
inline int block_threads(int64_t loads, int warp) {
  // As few passes as kMaxBlockThreads allow, and then no more threads than those passes need.
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
