// A ring: sums go from rank to rank, each adds its own number and rounds, and all copy what the owner has. One chunk for each
// rank. nccl src/device/all_reduce.h 5067397 runRing has the same additions in the same order.
#pragma once

#include "kernels/ops/all_reduce/two_shot.h"

namespace assay_kernels {

template <class Rules, class T>
SIMT_KERNEL void all_reduce_ring(AllReduceArguments a) {
  constexpr int kElements = simt::Vector<T>::kElements;
  const RankBlock me(a);
  const int64_t stride = int64_t{simt::block_size()} * a.blocks, first = int64_t{me.block} * simt::block_size() + simt::thread();
  const int64_t packets = a.elements / kElements;
  const RankParts parts{packets / a.ranks, packets, a.ranks};
  const auto sums_of = [&](int rank) { return reinterpret_cast<T*>(a.area[rank] + kAreaBuffer); };
  const T* const x = static_cast<const T*>(a.x[me.rank]);
  const int behind = (me.rank + a.ranks - 1) % a.ranks;

  rank_barrier<Rules, RankPlace::kStart, false>(a, me);
  for (int step = 1; step < a.ranks; ++step) {
    if (!kOnDevice && simt::thread() == 0) simt::may_lag();
    // The chunk of rank c begins with the number of rank c + 1, which this rank's neighbour had in the step before.
    const int chunk = (me.rank + 2 * a.ranks - 1 - step) % a.ranks;
    for (int64_t i = first; i < parts.size(chunk); i += stride) {
      const int64_t at = (parts.begin(chunk) + i) * kElements;
      const simt::Vector<T> sum =
          step == 1 ? simt::load16(static_cast<const T*>(a.x[behind]) + at) : simt::receive16(sums_of(behind) + at);
      const simt::Vector<T> own = simt::load16(x + at);
      simt::Vector<T> next;
      SIMT_UNROLL
      for (int e = 0; e < kElements; ++e)
        next.at[e] = Rules::template result<T>(Rules::template sum<T>(simt::to_float(sum.at[e]), simt::to_float(own.at[e])));
      simt::send16(sums_of(me.rank) + at, next);
    }
    rank_barrier<Rules, RankPlace::kMiddle, true>(a, me);
  }
  T* const y = static_cast<T*>(a.y[me.rank]);
  for (int owner = 0; owner < a.ranks; ++owner)
    for (int64_t i = first; i < parts.size(owner); i += stride) {
      const int64_t at = (parts.begin(owner) + i) * kElements;
      simt::store16(y + at, simt::receive16(sums_of(owner) + at));
    }
  rank_barrier<Rules, RankPlace::kEnd, false>(a, me);
}

}  // namespace assay_kernels
