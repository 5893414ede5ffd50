// Every rank adds all numbers of all ranks. vllm csrc/custom_all_reduce.cuh c9eabec7d8 cross_device_reduce_1stage.
#pragma once

#include "kernels/ops/all_reduce/barrier.h"
#include "kernels/ops/all_reduce/sums.h"

namespace assay_kernels {

template <class Rules, class T>
SIMT_KERNEL void all_reduce_one_shot(AllReduceArguments a) {
  const RankBlock me(a);
  const int64_t stride = int64_t{simt::block_size()} * a.blocks, first = int64_t{me.block} * simt::block_size() + simt::thread();
  T* const y = static_cast<T*>(a.y[me.rank]);
  rank_barrier<Rules, RankPlace::kStart, false>(a, me);
  const Packets<T> packets(a);
  for (int64_t i = first; i < packets.count; i += stride) {
    const int64_t at = i * simt::Vector<T>::kElements;
    simt::store16(y + at, reduced_packet<Rules, T>(0, me.rank, a.ranks, [&](int rank) {
                    return simt::load16(static_cast<const T*>(a.x[rank]) + at);
                  }));
  }
  for (int64_t at = packets.rest + first; at < a.elements; at += stride)
    y[at] = Rules::kTakesRest
                ? reduced_element<Rules, T>(0, me.rank, a.ranks, [&](int rank) { return static_cast<const T*>(a.x[rank])[at]; })
                : static_cast<const T*>(a.x[me.rank])[at];
  rank_barrier<Rules, RankPlace::kEnd, false>(a, me);
}

/// Sums of two neighbours, then of two of these, each rounded to T: one of the trees that NCCL may build.
template <class Rules, class T>
SIMT_KERNEL void all_reduce_pairs(AllReduceArguments a) {
  const RankBlock me(a);
  const int64_t stride = int64_t{simt::block_size()} * a.blocks, first = int64_t{me.block} * simt::block_size() + simt::thread();
  rank_barrier<Rules, RankPlace::kStart, false>(a, me);
  for (int64_t at = first; at < a.elements; at += stride) {
    float v[kMostRanks];
    SIMT_UNROLL
    for (int rank = 0; rank < kMostRanks; ++rank)
      v[rank] = rank < a.ranks ? simt::to_float(static_cast<const T*>(a.x[rank])[at]) : 0.0f;
    SIMT_UNROLL
    for (int apart = 1; apart < kMostRanks; apart *= 2) SIMT_UNROLL
    for (int rank = 0; rank + apart < kMostRanks; rank += 2 * apart)
      if (rank + apart < a.ranks) v[rank] = Rules::template sum<T>(v[rank], v[rank + apart]);
    static_cast<T*>(a.y[me.rank])[at] = Rules::template result<T>(v[0]);
  }
  rank_barrier<Rules, RankPlace::kEnd, false>(a, me);
}

}  // namespace assay_kernels
