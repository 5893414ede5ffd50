// Building blocks of every all-reduce kernel: a rank's memory area, the barrier between ranks, each contract's order and rounding
// of additions, and the sum of one packet.
#pragma once

#include <cstdint>
#include <iterator>
#include <type_traits>

#include "kernels/ops/kernel_common.h"
#include "kernels/simt/simt.h"

namespace assay_kernels {

// The memory area of a rank: an error record and signals (struct Signals), then a buffer.

/// True if ranks run concurrently on a device; on the CPU they take turns.
inline constexpr bool kOnDevice = std::size(simt::kWarpSizes) == 1;
inline constexpr int kMostRanks = 16;
inline constexpr int kMostRankBlocks = 36;
inline constexpr int64_t kAreaBuffer = 8192;  ///< offset of the buffer in the area, in bytes

/// The start of a rank's area, initially zero. A flag holds the number of its barrier. Barriers use two sets of flags in turn, so a
/// rank that is one barrier ahead never overwrites a flag that another rank still waits for (vLLM PR 8558).
struct Signals {
  uint32_t waited_for;  ///< the rank whose flag or packet did not arrive, plus one; 0: no error
  uint32_t block, place;
  uint32_t wanted, seen;  ///< the expected flag value, and the value found instead
  uint32_t unused[59];
  uint32_t odd[kMostRankBlocks][kMostRanks];
  uint32_t even[kMostRankBlocks][kMostRanks];
  uint32_t flag[kMostRankBlocks];          ///< flag value of the last barrier of each block
  uint32_t calls[kMostRankBlocks];         ///< call counter of each block of a Lamport kernel
  uint32_t last_packets[kMostRankBlocks];  ///< packets of the previous call's message, for each block
};
static_assert(sizeof(Signals) <= kAreaBuffer, "the signals must end where the buffer begins");

/// Where a rank waited in vain: at one of the barriers, or for a packet.
enum class RankPlace : uint32_t { kStart = 1, kMiddle = 2, kEnd = 3, kPacket = 4 };

struct AllReduceArguments {
  const void* x[kMostRanks];
  void* y[kMostRanks];
  unsigned char* area[kMostRanks];
  int64_t area_bytes;
  int64_t elements;
  int ranks;
  int first;           ///< the first rank of this launch
  int blocks;          ///< blocks per rank
  bool whole;          ///< tensors are aligned to 16 bytes
  int straggler = -1;  ///< index of a rank that is delayed on purpose; -1: none
};

/// The rank of this block, and the block's index within the rank.
struct RankBlock {
  int rank, block;
  SIMT_DEVICE explicit RankBlock(const AllReduceArguments& a)
      : rank(a.first + int(simt::block()) / a.blocks), block(int(simt::block()) % a.blocks) {}
};

SIMT_DEVICE Signals* signals_of(const AllReduceArguments& a, int rank) { return reinterpret_cast<Signals*>(a.area[rank]); }

/// Records the first error of the rank that owns `self`: it waited in vain for rank `waited_for`. `wanted` is the expected value of a
/// flag, `seen` the value found. If `seen` is at most one barrier behind, a rank is missing; any other value means a wrong protocol.
SIMT_DEVICE void complain(Signals* self, int waited_for, int block, RankPlace place, uint32_t wanted = 0, uint32_t seen = 0) {
  if (self->waited_for != 0) return;
  self->block = uint32_t(block);
  self->place = uint32_t(place);
  self->wanted = wanted;
  self->seen = seen;
  self->waited_for = uint32_t(waited_for) + 1;
}

// Barrier between the blocks with equal index on all ranks, by flags in the ranks' memory areas.
// Source: vLLM since PR 8558, csrc/custom_collective_common.cuh 5d11149b98.

/// Every thread of the block must call it. kOrdered: what a rank wrote before the barrier is visible to all ranks after it.
/// Rules::kReleases, kCountsCalls and kKeepsFlags are false only in deliberately wrong barriers.
template <class Rules, RankPlace kPlace, bool kOrdered>
SIMT_DEVICE void rank_barrier(const AllReduceArguments& a, RankBlock me) {
  if (simt::thread() == 0 && me.rank == a.straggler) simt::may_lag();
  simt::barrier();
  Signals* const self = signals_of(a, me.rank);
  const uint32_t flag = !Rules::kKeepsFlags ? 1 : Rules::kCountsCalls ? self->flag[me.block] + 1 : uint32_t(kPlace);
  const int peer = simt::thread();
  const bool second_set = (flag & 1) == 0;
  if (peer < a.ranks) {
    Signals* const other = signals_of(a, peer);
    uint32_t* const there = second_set ? &other->even[me.block][me.rank] : &other->odd[me.block][me.rank];
    if (kOrdered && Rules::kReleases)
      simt::signal_release(there, flag);
    else
      simt::signal_relaxed(there, flag);
  }
  simt::barrier();  // the whole block must signal before any of its threads waits: on the CPU its threads run one after the other
  if (peer < a.ranks) {
    uint32_t* const here = second_set ? &self->even[me.block][peer] : &self->odd[me.block][peer];
    bool came;
    if constexpr (Rules::kWaitsOtherwise)
      came = Rules::waited(here, flag);
    else
      came = kOrdered && Rules::kReleases ? simt::wait_acquire(here, flag) : simt::wait_relaxed(here, flag);
    if (!came) complain(self, peer, me.block, kPlace, flag, simt::flag_now(here));
    if (!Rules::kKeepsFlags) simt::signal_relaxed(here, 0);
  }
  simt::barrier();
  if (peer == 0) self->flag[me.block] = flag;
}

// For each contract a struct with the order of ranks and the roundings. A deliberately wrong kernel derives from a struct and replaces a member.

struct RankRules {
  static constexpr bool kFromZero = false;  ///< true: the sum starts from +0; false: from the first rank's value
  static constexpr bool kNative = false;    ///< true: every partial sum is rounded to T
  /// kChunk > 0: adds the values of each kChunk ranks, then adds these sums. 0: adds the values of all ranks one after the other.
  static constexpr int kChunk = 0;
  static constexpr bool kWaitsOtherwise = false;  ///< true: waits until waited(at, flag); false: until *at == flag
  /// Steps of the barrier protocol. For each of them, one deliberately wrong kernel sets it to false.
  static constexpr bool kReleases = true, kWaitsInTheMiddle = true, kCountsCalls = true, kKeepsFlags = true,
                        kWaitsAtTheEnd = true;

  /// Rank `reader` adds the part of rank `owner`. count(): how many ranks' values it adds. rank_of(): the rank at position i of the sum.
  SIMT_DEVICE static int count(int /*reader*/, int ranks) { return ranks; }
  SIMT_DEVICE static int rank_of(int i, int /*owner*/, int /*reader*/, int /*ranks*/) { return i; }
  SIMT_DEVICE static float wire(float v) { return v; }  ///< changes an input before it is added
  template <class T>
  SIMT_DEVICE static float sum(float a, float b) {
    return a + b;
  }
  template <class T>
  SIMT_DEVICE static T result(float sum) {
    return simt::from_float<T>(sum);
  }
  /// segment_of(): the rank whose area is read for the sums of `owner`. kTakesRest: elements after the whole packets or equal parts are added too.
  SIMT_DEVICE static int segment_of(int owner, int /*ranks*/) { return owner; }
  static constexpr bool kTakesRest = true;
};

template <class T>
SIMT_DEVICE float rounded_to(float v) {
  return simt::to_float(simt::from_float<T>(v));
}

/// Adds in fp32, rank 0 first.
/// Source: vllm csrc/custom_all_reduce.cuh c9eabec7d8 packed_reduce.
struct AbsoluteRules : RankRules {};

/// Adds in fp32, the owner's value first: the source reads ptrs[(rank + i) % ngpus].
/// Source: vllm csrc/custom_all_reduce.cuh c9eabec7d8 cross_device_reduce_2stage.
struct FromOwnerRules : RankRules {
  SIMT_DEVICE static int rank_of(int i, int owner, int /*reader*/, int ranks) { return (owner + i) % ranks; }
};

/// Adds in fp32, starting from +0 (acc = {}), rank 0 first.
/// Source: sglang include/sgl_kernel/distributed/custom_all_reduce.cuh v0.5.10.post1 to v0.5.15 reduce_impl. Since v0.5.16 the
/// sum starts with the first rank's value.
struct FromZeroRules : RankRules {
  static constexpr bool kFromZero = true;
};

/// Rounds every partial sum to T, the type of x.
/// Source: flashinfer trtllm_allreduce_fusion.cuh fb28d724 add128 without fp32_acc.
template <class Base>
struct NativeRules : Base {
  static constexpr bool kNative = true;
  template <class T>
  SIMT_DEVICE static float sum(float a, float b) {
    return rounded_to<T>(Base::template sum<T>(a, b));
  }
};

/// Rounds to fp16 under MODE.FP16_OVFL: finite values saturate, Inf stays Inf. Other types are unaffected.
template <class T>
SIMT_DEVICE float saturated_to(float v) {
  const float rounded = rounded_to<T>(v);
  const bool overflows = std::is_same_v<T, simt::F16> && simt::magnitude(rounded) > 65504.0f && simt::magnitude(v) < simt::from_bits(0x7f800000u);
  return overflows ? (v > 0 ? 65504.0f : -65504.0f) : rounded;
}

/// Rounds every partial sum to T with saturation.
/// Source: vllm csrc/rocm/quickreduce/quick_reduce_impl.cuh v0.33.0 CodecBase on gfx942.
template <class Base>
struct SaturatingRules : Base {
  static constexpr bool kNative = true;
  template <class T>
  SIMT_DEVICE static float sum(float a, float b) {
    return saturated_to<T>(Base::template sum<T>(a, b));
  }
};

/// Casts bf16 to fp16, adds, and casts back: cast_bf2half in quick_reduce_impl.cuh. Inputs are divided by kDivisor, a power of
/// two, and sums are multiplied by it, so that they stay within fp16's range (sglang's pull request 34484).
template <class Base, bool kSaturates, int kDivisor = 1>
struct CastToHalf : Base {
  static constexpr bool kNative = true;
  SIMT_DEVICE static float half(float v) { return kSaturates ? saturated_to<simt::F16>(v) : rounded_to<simt::F16>(v); }
  SIMT_DEVICE static float wire(float v) { return half(Base::wire(v) * (1.0f / kDivisor)); }
  template <class T>
  SIMT_DEVICE static float sum(float a, float b) {
    return half(Base::template sum<T>(a, b));
  }
  template <class T>
  SIMT_DEVICE static T result(float sum) {
    return Base::template result<T>(sum * float(kDivisor));
  }
};

/// Sums chunks of eight ranks, then the sums of the chunks; each sum starts from +0.
/// Source: flashinfer include/flashinfer/comm/trtllm_mnnvl_allreduce.cuh fb28d724 reduceLamportRanksChunked<WorldSize, 8>.
template <class Base>
struct ChunksOf8 : Base {
  static constexpr int kChunk = 8;
};

/// Sends values and sums of -0 as +0: sanitizeLamportPayload in trtllm_mnnvl_allreduce.cuh.
template <class Base>
struct WithoutMinusZero : Base {
  SIMT_DEVICE static float wire(float v) { return Base::wire(v) + 0.0f; }
  template <class T>
  SIMT_DEVICE static T result(float sum) {
    return simt::from_float<T>(simt::to_float(Base::template result<T>(sum)) + 0.0f);
  }
};

/// Flushes fp32 subnormals to zero: FlashInfer builds with -use_fast_math, AITER with -fgpu-flush-denormals-to-zero.
template <class Base>
struct FlushingSum : Base {
  SIMT_DEVICE static float wire(float v) { return flushed(Base::wire(v)); }
  template <class T>
  SIMT_DEVICE static float sum(float a, float b) {
    return flushed(Base::template sum<T>(a, b));
  }
};
using FlushingSums = FlushingSum<AbsoluteRules>;

/// Truncates the fp32 sum to bf16.
/// Source: aiter csrc/include/opus/opus.hpp e4048607 on gfx942.
template <class Base>
struct CutOffSum : Base {
  template <class T>
  SIMT_DEVICE static T result(float sum) {
    if constexpr (std::is_same_v<T, simt::Bf16>)
      return simt::from_float<T>(simt::from_bits(simt::bits(sum) & 0xffff0000u));
    else
      return Base::template result<T>(sum);
  }
};

/// Lamport sentinels: the bit pattern that means "nothing received yet", and the value that is sent in its place.
struct MinusZeroIsEmpty {
  template <class T>
  SIMT_DEVICE static bool empty(T v) {
    uint32_t pattern = 0;
    __builtin_memcpy(&pattern, &v, sizeof v);
    return pattern == (sizeof(T) == 4 ? 0x80000000u : 0x8000u);
  }
  static constexpr float kInstead = 0.0f;
  static constexpr bool kMinusZero = true;
};
struct PlusZeroIsEmpty {
  template <class T>
  SIMT_DEVICE static bool empty(T v) {
    uint32_t pattern = 0;
    __builtin_memcpy(&pattern, &v, sizeof v);
    return pattern == 0;
  }
  static constexpr float kInstead = -0.0f;
  static constexpr bool kMinusZero = false;
};
template <class Base, class Sentinel>
struct LamportRules : Base {
  static constexpr bool kOfWords = false;  ///< true: the sentinel is a 32-bit word of two elements; false: one element
  template <class T>
  SIMT_DEVICE static T sent(T v) {
    return Sentinel::empty(v) ? simt::from_float<T>(Sentinel::kInstead) : v;
  }
  template <class T>
  SIMT_DEVICE static bool empty(T v) {
    return Sentinel::empty(v);
  }
  SIMT_DEVICE static int64_t cleared(int64_t packets) { return packets; }  ///< how many packets of the previous call are refilled
  /// Distance in bytes between the packets of successive senders in a buffer. It depends on the size of the area, not of the message.
  SIMT_DEVICE static int64_t room(int64_t of_area, int64_t /*of_message*/) { return of_area; }
  /// The next value of the call counter. It counts modulo the number of buffers: a 32-bit counter would skip a buffer when it wraps.
  SIMT_DEVICE static uint32_t behind(uint32_t call, uint32_t buffers) { return (call + 1) % buffers; }
  static constexpr bool kMinusZero = Sentinel::kMinusZero;  ///< buffers are initially filled with -0, otherwise with +0
};

/// The sentinel is a word of two 16-bit elements. If a word equals it, only its first element is replaced before sending.
/// Source: sglang kernels/jit/include/sgl_kernel/distributed/communicator.cuh v0.5.19 to v0.5.23 LamportTrait<T, N, 4>.
template <class Base>
struct OfWords : Base {
  static constexpr bool kOfWords = true;
};

// The sum over all ranks of one 16-byte packet, or of one element.

/// True if position i of the sum is the last one of a chunk. Rules with chunks start each sum from +0.
template <class Rules>
SIMT_DEVICE bool ends_chunk(int i, int count) {
  static_assert(Rules::kChunk == 0 || Rules::kFromZero, "chunks are added from zero");
  return Rules::kChunk > 0 && (i + 1 == count || (i + 1) % (Rules::kChunk > 0 ? Rules::kChunk : 1) == 0);
}

/// The sum of one packet over all ranks, in the order of Rules::rank_of(). load(rank) returns that rank's packet.
template <class Rules, class T, class Load>
SIMT_DEVICE simt::Vector<T> reduced_packet(int owner, int reader, int ranks, Load load) {
  constexpr int kElements = simt::Vector<T>::kElements;
  float sums[kElements], chunks[kElements];
  SIMT_UNROLL
  for (int e = 0; e < kElements; ++e) sums[e] = chunks[e] = 0.0f;
  const int count = Rules::count(reader, ranks);
  for (int i = 0; i < count; ++i) {
    const simt::Vector<T> next = load(Rules::rank_of(i, owner, reader, ranks));
    SIMT_UNROLL
    for (int e = 0; e < kElements; ++e) {
      const float v = Rules::wire(simt::to_float(next.at[e]));
      sums[e] = i == 0 && !Rules::kFromZero ? v : Rules::template sum<T>(sums[e], v);
      if (ends_chunk<Rules>(i, count)) chunks[e] = Rules::template sum<T>(chunks[e], sums[e]), sums[e] = 0.0f;
    }
  }
  simt::Vector<T> y;
  SIMT_UNROLL
  for (int e = 0; e < kElements; ++e) y.at[e] = Rules::template result<T>(Rules::kChunk > 0 ? chunks[e] : sums[e]);
  return y;
}

/// The sum of one element over all ranks.
template <class Rules, class T, class Load>
SIMT_DEVICE T reduced_element(int owner, int reader, int ranks, Load load) {
  float sum = 0.0f, chunks = 0.0f;
  const int count = Rules::count(reader, ranks);
  for (int i = 0; i < count; ++i) {
    const float v = Rules::wire(simt::to_float(load(Rules::rank_of(i, owner, reader, ranks))));
    sum = i == 0 && !Rules::kFromZero ? v : Rules::template sum<T>(sum, v);
    if (ends_chunk<Rules>(i, count)) chunks = Rules::template sum<T>(chunks, sum), sum = 0.0f;
  }
  return Rules::template result<T>(Rules::kChunk > 0 ? chunks : sum);
}

/// Number of whole packets, and index of the first element after them.
template <class T>
struct Packets {
  int64_t count, rest;
  SIMT_DEVICE explicit Packets(const AllReduceArguments& a)
      : count(a.whole ? a.elements / simt::Vector<T>::kElements : 0), rest(count * simt::Vector<T>::kElements) {}
};

}  // namespace assay_kernels
