// All-reduce of unquantized values: one-shot, two-shot, ring, registered buffers, and Lamport packets.
#pragma once

#include "kernels/ops/all_reduce/all_reduce_rules.h"

namespace assay_kernels {

// One-shot: every rank adds the inputs of all ranks.
// Source: vllm csrc/custom_all_reduce.cuh c9eabec7d8 cross_device_reduce_1stage.

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

/// Pairwise tree: adds the values of ranks 2 i and 2 i + 1, then pairs of sums. Rules::sum() may round each sum to T. NCCL may build another tree.
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

// Two-shot: each rank adds its part of the message; then every rank copies the parts of all ranks.
// Source: vllm csrc/custom_all_reduce.cuh c9eabec7d8 cross_device_reduce_2stage.

/// How a message of `all` units (16-byte packets, or a codec's blocks) is divided: each rank owns `part` units, the last rank also the remainder.
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

  // A thread copies only packets that threads with its own block and thread index wrote: the barrier joins only blocks of equal index.
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

// Ring: the message has one chunk per rank. The partial sum of a chunk moves from rank to rank; each rank adds its own input and
// rounds. At the end every rank copies all sums.
// nccl src/device/all_reduce.h 5067397 runRing makes the same additions in the same order.

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
    // The sum of chunk c starts with the input of rank c + 1. In the previous step, rank `behind` added its input to this chunk.
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

// One-shot over registered buffers: each rank copies its input into its own buffer, as vLLM does outside graph capture. Here the
// kernel itself copies, so the barrier after the copy must make the copy visible to the other ranks.
// Source: vllm vllm/distributed/device_communicators/custom_all_reduce.py all_reduce(registered=False), then
// csrc/custom_all_reduce.cuh c9eabec7d8 cross_device_reduce_1stage.

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
  // The next call overwrites the buffers, so all ranks must have read them.
  if (Rules::kWaitsAtTheEnd) rank_barrier<Rules, RankPlace::kEnd, true>(a, me);
}

// One-shot without a barrier (Lamport): a packet has arrived when it differs from a sentinel value. Three buffers are used in
// turn. A call refills the previous call's buffer with the sentinel; Signals::last_packets says how many packets that call had.
// Source: flashinfer include/flashinfer/comm/trtllm_allreduce_fusion.cuh fb28d724 (sentinel -0); sglang's push kernel (sentinel +0).

inline constexpr int kLamportBuffers = 3;
inline constexpr int kLamportBlocks = 4;  ///< blocks per rank: the same in every call, because each block has its own call counter

/// Bytes that one rank may send to another rank in one call. Each of the area's three buffers has one part of this size per sender.
SIMT_DEVICE int64_t lamport_room(const AllReduceArguments& a) {
  return (a.area_bytes - kAreaBuffer) / (kLamportBuffers * a.ranks) / 16 * 16;
}

/// Number of adjacent elements that are compared with the sentinel together, as one word.
template <class Rules, class T>
inline constexpr int kNumbersOfWord = Rules::kOfWords ? int(4 / sizeof(T)) : 1;

/// For simt::wait_packet(): true if a packet has arrived, that is, if no element (or word) of it equals the sentinel.
template <class Rules, class T>
struct ArrivedBy {
  SIMT_DEVICE static bool in(const simt::Vector<T>& v) {
    constexpr int kWord = kNumbersOfWord<Rules, T>;
    for (int e = 0; e < simt::Vector<T>::kElements; e += kWord)
      if (Rules::empty(v.at[e]) && Rules::empty(v.at[e + kWord - 1])) return false;
    return true;
  }
};

/// Called before a packet is sent: replaces its elements that equal the sentinel, which the receiver would take for missing data.
template <class Rules, class T>
SIMT_DEVICE void fill_empty(simt::Vector<T>& v) {
  constexpr int kWord = kNumbersOfWord<Rules, T>;
  SIMT_UNROLL
  for (int e = 0; e < simt::Vector<T>::kElements; e += kWord)
    if (kWord == 1 || Rules::empty(v.at[e + kWord - 1])) v.at[e] = Rules::sent(v.at[e]);
}

/// Address of the packets that rank `from` sends to `rank`, in one of the three buffers of `rank`.
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
  simt::barrier();  // the whole block must send before any of its threads waits: on the CPU its threads run one after the other
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
