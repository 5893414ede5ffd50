// One shot without a barrier: a number that came is its own flag. Three buffers in turn; a call clears that of the call before,
// whose size it remembers. flashinfer include/flashinfer/comm/trtllm_allreduce_fusion.cuh fb28d724; sglang's push kernel with the
// other sentinel.
#pragma once

#include "kernels/ops/all_reduce/sums.h"

namespace assay_kernels {

inline constexpr int kLamportBuffers = 3;
inline constexpr int kLamportBlocks = 4;  ///< of every call: each block counts its own

/// Bytes that a rank may send to a rank in one call.
SIMT_DEVICE int64_t lamport_room(const AllReduceArguments& a) {
  return (a.area_bytes - kAreaBuffer) / (kLamportBuffers * a.ranks) / 16 * 16;
}

/// Numbers that are empty or not together.
template <class Rules, class T>
inline constexpr int kNumbersOfWord = Rules::kOfWords ? int(4 / sizeof(T)) : 1;

template <class Rules, class T>
struct ArrivedBy {
  SIMT_DEVICE static bool in(const simt::Vector<T>& v) {
    constexpr int kWord = kNumbersOfWord<Rules, T>;
    for (int e = 0; e < simt::Vector<T>::kElements; e += kWord)
      if (Rules::empty(v.at[e]) && Rules::empty(v.at[e + kWord - 1])) return false;
    return true;
  }
};

/// What is sent instead of a packet: in it nothing is empty.
template <class Rules, class T>
SIMT_DEVICE void fill_empty(simt::Vector<T>& v) {
  constexpr int kWord = kNumbersOfWord<Rules, T>;
  SIMT_UNROLL
  for (int e = 0; e < simt::Vector<T>::kElements; e += kWord)
    if (kWord == 1 || Rules::empty(v.at[e + kWord - 1])) v.at[e] = Rules::sent(v.at[e]);
}

/// Where the packets that rank `from` sends are in that buffer of an area.
template <class T>
SIMT_DEVICE T* lamport_packets(const AllReduceArguments& a, int64_t room, int rank, int buffer, int from) {
  return reinterpret_cast<T*>(a.area[rank] + kAreaBuffer + (buffer * a.ranks + from) * room);
}

template <class Rules, class T>
SIMT_KERNEL void all_reduce_lamport(AllReduceArguments a) {
  constexpr int kElements = simt::Vector<T>::kElements;
  const RankBlock me(a);
  const int64_t stride = int64_t{simt::block_size()} * a.blocks, first = int64_t{me.block} * simt::block_size() + simt::thread();
  const int64_t packets = a.elements / kElements;
  const int64_t room = Rules::room(lamport_room(a), packets * 16);
  Signals* const self = signals_of(a, me.rank);
  const uint32_t call = self->calls[me.block];
  const int64_t before = Rules::cleared(self->last_packets[me.block]);
  const int now = int(call % kLamportBuffers), last = int((call + kLamportBuffers - 1) % kLamportBuffers);
  if (me.rank == a.straggler) {
    if (simt::thread() == 0) simt::may_lag();
    simt::barrier();
  }

  for (int64_t i = first; i < packets; i += stride) {
    simt::Vector<T> own = simt::load16(static_cast<const T*>(a.x[me.rank]) + i * kElements);
    fill_empty<Rules>(own);
    for (int rank = 0; rank < a.ranks; ++rank) simt::post16(lamport_packets<T>(a, room, rank, now, me.rank) + i * kElements, own);
  }
  simt::Vector<T> nothing;
  SIMT_UNROLL
  for (int e = 0; e < kElements; ++e) nothing.at[e] = simt::from_float<T>(Rules::kMinusZero ? -0.0f : 0.0f);
  for (int64_t i = first; i < before; i += stride)
    for (int rank = 0; rank < a.ranks; ++rank)
      simt::post16(lamport_packets<T>(a, room, me.rank, last, rank) + i * kElements, nothing);
  simt::barrier();  // all of the block have sent before one waits: on the CPU its threads run one after the other
  if (simt::thread() == 0)
    self->calls[me.block] = Rules::behind(call, kLamportBuffers), self->last_packets[me.block] = uint32_t(packets);

  T* const y = static_cast<T*>(a.y[me.rank]);
  for (int64_t i = first; i < packets; i += stride) {
    for (int rank = 0; rank < a.ranks; ++rank)
      if (self->waited_for == 0 &&
          !simt::wait_packet<ArrivedBy<Rules, T>>(lamport_packets<T>(a, room, me.rank, now, rank) + i * kElements))
        complain(self, rank, me.block, RankPlace::kPacket);
    simt::store16(y + i * kElements, reduced_packet<Rules, T>(0, me.rank, a.ranks, [&](int rank) {
                    return simt::polled16(lamport_packets<T>(a, room, me.rank, now, rank) + i * kElements);
                  }));
  }
}

}  // namespace assay_kernels
