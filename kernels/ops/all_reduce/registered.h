// One shot over buffers that peers know once and for all: each rank copies its numbers into its own first, as vLLM does where no
// graph is captured. vllm vllm/distributed/device_communicators/custom_all_reduce.py all_reduce(registered=False), then
// csrc/custom_all_reduce.cuh c9eabec7d8 cross_device_reduce_1stage; here the copy is a step of the kernel, so its barrier
// releases.
#pragma once

#include "kernels/ops/all_reduce/barrier.h"
#include "kernels/ops/all_reduce/sums.h"

namespace assay_kernels {

template <class Rules, class T>
SIMT_KERNEL void all_reduce_registered(AllReduceArguments a) {
  const RankBlock me(a);
  const int64_t stride = int64_t{simt::block_size()} * a.blocks, first = int64_t{me.block} * simt::block_size() + simt::thread();
  const auto buffer_of = [&](int rank) { return reinterpret_cast<T*>(a.area[rank] + kAreaBuffer); };
  const T* const x = static_cast<const T*>(a.x[me.rank]);
  const Packets<T> packets(a);
  for (int64_t i = first; i < packets.count; i += stride) {
    const int64_t at = i * simt::Vector<T>::kElements;
    simt::send16(buffer_of(me.rank) + at, simt::load16(x + at));
  }
  for (int64_t at = packets.rest + first; at < a.elements; at += stride) simt::send1(buffer_of(me.rank) + at, x[at]);
  rank_barrier<Rules, RankPlace::kStart, true>(a, me);
  if (!kOnDevice && simt::thread() == 0) simt::may_lag();
  T* const y = static_cast<T*>(a.y[me.rank]);
  for (int64_t i = first; i < packets.count; i += stride) {
    const int64_t at = i * simt::Vector<T>::kElements;
    simt::store16(y + at,
                  reduced_packet<Rules, T>(0, me.rank, a.ranks, [&](int rank) { return simt::receive16(buffer_of(rank) + at); }));
  }
  for (int64_t at = packets.rest + first; at < a.elements; at += stride)
    y[at] = reduced_element<Rules, T>(0, me.rank, a.ranks, [&](int rank) { return simt::receive1(buffer_of(rank) + at); });
  // The next call's copy must find nobody who still reads.
  if (Rules::kWaitsAtTheEnd) rank_barrier<Rules, RankPlace::kEnd, true>(a, me);
}

}  // namespace assay_kernels
