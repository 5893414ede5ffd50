// Each rank adds its part of all numbers, and all copy the parts of all. vllm csrc/custom_all_reduce.cuh c9eabec7d8
// cross_device_reduce_2stage.
#pragma once

#include "kernels/ops/all_reduce/barrier.h"
#include "kernels/ops/all_reduce/sums.h"

namespace assay_kernels {

/// Packets of each rank's part; the last one has what is left.
struct RankParts {
  int64_t part, all;
  int ranks;
  SIMT_DEVICE int64_t begin(int rank) const { return part * rank; }
  SIMT_DEVICE int64_t size(int rank) const { return rank + 1 == ranks ? all - part * rank : part; }
  SIMT_DEVICE int64_t largest() const { return size(ranks - 1); }
};

template <class Rules, class T>
SIMT_KERNEL void all_reduce_two_shot(AllReduceArguments a) {
  constexpr int kElements = simt::Vector<T>::kElements;
  const RankBlock me(a);
  const int64_t stride = int64_t{simt::block_size()} * a.blocks, first = int64_t{me.block} * simt::block_size() + simt::thread();
  const int64_t packets = a.elements / kElements;
  const RankParts parts{packets / a.ranks, packets, a.ranks};
  T* const y = static_cast<T*>(a.y[me.rank]);
  T* const own = reinterpret_cast<T*>(a.area[me.rank] + kAreaBuffer);

  rank_barrier<Rules, RankPlace::kStart, false>(a, me);
  if (!kOnDevice && simt::thread() == 0) simt::may_lag();
  const int64_t end = Rules::kTakesRest ? parts.size(me.rank) : parts.part;
  for (int64_t i = first; i < end; i += stride) {
    const int64_t at = (parts.begin(me.rank) + i) * kElements;
    simt::send16(own + i * kElements, reduced_packet<Rules, T>(me.rank, me.rank, a.ranks, [&](int rank) {
                   return simt::load16(static_cast<const T*>(a.x[rank]) + at);
                 }));
  }
  if (Rules::kWaitsInTheMiddle) rank_barrier<Rules, RankPlace::kMiddle, true>(a, me);

  // A thread copies what threads of its number made: blocks of one number alone have waited for each other.
  for (int64_t i = first; i < parts.largest(); i += stride)
    for (int ahead = 0; ahead < a.ranks; ++ahead) {
      const int owner = (me.rank + ahead) % a.ranks, from = Rules::segment_of(owner, a.ranks);
      if (i >= parts.size(owner)) continue;
      const int64_t at = (parts.begin(owner) + i) * kElements;
      const bool rest = i >= parts.part, another = from != owner && rest;
      if (rest && !Rules::kTakesRest)
        simt::store16(y + at, simt::load16(static_cast<const T*>(a.x[me.rank]) + at));
      else
        simt::store16(y + at,
                      simt::receive16(reinterpret_cast<const T*>(a.area[another ? owner : from] + kAreaBuffer) + i * kElements));
    }
  rank_barrier<Rules, RankPlace::kEnd, false>(a, me);
}

}  // namespace assay_kernels
