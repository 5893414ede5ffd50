// What every all-reduce kernel is made of: the memory area of a rank, the barrier between ranks, the order and rounding of additions by
// contract, and the sum of one packet.
#pragma once

#include <cstdint>
#include <iterator>
#include <type_traits>

#include "kernels/ops/kernel_common.h"
#include "kernels/simt/simt.h"

namespace assay_kernels {

// What the area of a rank holds: what went wrong, signals, and behind them a buffer.

/// Whether ranks run at once on a device; on the CPU they take turns.
inline constexpr bool kOnDevice = std::size(simt::kWarpSizes) == 1;
inline constexpr int kMostRanks = 16;
inline constexpr int kMostRankBlocks = 36;
inline constexpr int64_t kAreaBuffer = 8192;  ///< bytes before the buffer

/// At the beginning of an area, zeros at first. Flags count calls upwards, in two sets that are used in turn, so that a rank that
/// is one barrier ahead overwrites nothing that another still waits for (vLLM PR 8558).
struct Signals {
  uint32_t waited_for;  ///< a rank that did not come, and one; 0: all came
  uint32_t block, place;
  uint32_t wanted, seen;  ///< of its flag
  uint32_t unused[59];
  uint32_t odd[kMostRankBlocks][kMostRanks];
  uint32_t even[kMostRankBlocks][kMostRanks];
  uint32_t flag[kMostRankBlocks];          ///< of the last barrier of each block
  uint32_t calls[kMostRankBlocks];         ///< of a Lamport kernel, by block
  uint32_t last_packets[kMostRankBlocks];  ///< that its call before had
};
static_assert(sizeof(Signals) <= kAreaBuffer, "signals end where the buffer begins");

/// Where a rank waited in vain.
enum class RankPlace : uint32_t { kStart = 1, kMiddle = 2, kEnd = 3, kPacket = 4 };

struct AllReduceArguments {
  const void* x[kMostRanks];
  void* y[kMostRanks];
  unsigned char* area[kMostRanks];
  int64_t area_bytes;
  int64_t elements;
  int ranks;
  int first;           ///< rank of the launch's first block
  int blocks;          ///< of each rank
  bool whole;          ///< tensors are aligned to 16 bytes
  int straggler = -1;  ///< a rank that comes later than all others; -1: none
};

/// Which rank and which of its blocks this is.
struct RankBlock {
  int rank, block;
  SIMT_DEVICE explicit RankBlock(const AllReduceArguments& a)
      : rank(a.first + int(simt::block()) / a.blocks), block(int(simt::block()) % a.blocks) {}
};

SIMT_DEVICE Signals* signals_of(const AllReduceArguments& a, int rank) { return reinterpret_cast<Signals*>(a.area[rank]); }

/// The first complaint of a rank stays. Flags count barriers: one that is behind by more than one, or ahead, is no straggler's.
SIMT_DEVICE void complain(Signals* self, int waited_for, int block, RankPlace place, uint32_t wanted = 0, uint32_t seen = 0) {
  if (self->waited_for != 0) return;
  self->block = uint32_t(block);
  self->place = uint32_t(place);
  self->wanted = wanted;
  self->seen = seen;
  self->waited_for = uint32_t(waited_for) + 1;
}

// The barrier of blocks of one number on all ranks, as vLLM has it since PR 8558: csrc/custom_collective_common.cuh 5d11149b98.

/// Rules::kReleases, kCountsCalls, kKeepsFlags: what a faulty barrier lacks. Every thread of the block calls it. kOrdered: what
/// each rank sent before is seen by all behind it.
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
  simt::barrier();  // all have signalled before one waits: on the CPU the threads of a block run one after the other
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

// In which order ranks are added and what is rounded, line by line; a faulty kernel derives from one and replaces a line.

struct RankRules {
  static constexpr bool kFromZero = false;  ///< +0 is added to; else the sum begins with the first number
  static constexpr bool kNative = false;    ///< every sum is rounded to T
  /// So many ranks are added up by themselves, and then the sums of these; 0: all are one chain.
  static constexpr int kChunk = 0;
  static constexpr bool kWaitsOtherwise = false;  ///< by waited(at, flag); else until the flag is equal
  static constexpr bool kReleases = true, kWaitsInTheMiddle = true, kCountsCalls = true, kKeepsFlags = true,
                        kWaitsAtTheEnd = true;  ///< of barriers

  /// How many numbers the rank `reader` adds, and whose is number i.
  SIMT_DEVICE static int count(int /*reader*/, int ranks) { return ranks; }
  SIMT_DEVICE static int rank_of(int i, int /*owner*/, int /*reader*/, int /*ranks*/) { return i; }
  SIMT_DEVICE static float wire(float v) { return v; }
  template <class T>
  SIMT_DEVICE static float sum(float a, float b) {
    return a + b;
  }
  template <class T>
  SIMT_DEVICE static T result(float sum) {
    return simt::from_float<T>(sum);
  }
  /// Whose segment of the result stands in segment `owner`, and whether what is behind equal parts is reduced.
  SIMT_DEVICE static int segment_of(int owner, int /*ranks*/) { return owner; }
  static constexpr bool kTakesRest = true;
};

template <class T>
SIMT_DEVICE float rounded_to(float v) {
  return simt::to_float(simt::from_float<T>(v));
}

/// vllm csrc/custom_all_reduce.cuh c9eabec7d8: packed_reduce in fp32, rank 0 first.
struct AbsoluteRules : RankRules {};

/// vllm csrc/custom_all_reduce.cuh c9eabec7d8 cross_device_reduce_2stage: ptrs[(rank + i) % ngpus].
struct FromOwnerRules : RankRules {
  SIMT_DEVICE static int rank_of(int i, int owner, int /*reader*/, int ranks) { return (owner + i) % ranks; }
};

/// sglang include/sgl_kernel/distributed/custom_all_reduce.cuh v0.5.10.post1 to v0.5.15 reduce_impl: acc = {}; since v0.5.16 the
/// first number.
struct FromZeroRules : RankRules {
  static constexpr bool kFromZero = true;
};

/// flashinfer trtllm_allreduce_fusion.cuh fb28d724 add128 without fp32_acc: sums of T.
template <class Base>
struct NativeRules : Base {
  static constexpr bool kNative = true;
  template <class T>
  SIMT_DEVICE static float sum(float a, float b) {
    return rounded_to<T>(Base::template sum<T>(a, b));
  }
};

/// v in fp16 under MODE.FP16_OVFL: a finite number saturates, Inf stays Inf. Of other formats the bit says nothing.
template <class T>
SIMT_DEVICE float saturated_to(float v) {
  const float rounded = rounded_to<T>(v);
  const bool overflows = std::is_same_v<T, simt::F16> && simt::magnitude(rounded) > 65504.0f && simt::magnitude(v) < simt::from_bits(0x7f800000u);
  return overflows ? (v > 0 ? 65504.0f : -65504.0f) : rounded;
}

/// vllm csrc/rocm/quickreduce/quick_reduce_impl.cuh v0.33.0 CodecBase on gfx942: sums of T saturate.
template <class Base>
struct SaturatingRules : Base {
  static constexpr bool kNative = true;
  template <class T>
  SIMT_DEVICE static float sum(float a, float b) {
    return saturated_to<T>(Base::template sum<T>(a, b));
  }
};

/// Numbers of bf16 that are cast to fp16, added there and cast back: the same file, cast_bf2half. kDivisor: of sglang's pull request 34484, a
/// power of two that keeps numbers and sums in the range of fp16.
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

/// flashinfer include/flashinfer/comm/trtllm_mnnvl_allreduce.cuh fb28d724 reduceLamportRanksChunked<WorldSize, 8>: both sums
/// begin with +0.
template <class Base>
struct ChunksOf8 : Base {
  static constexpr int kChunk = 8;
};

/// The same file, sanitizeLamportPayload: a sum of -0 is sent as +0.
template <class Base>
struct WithoutMinusZero : Base {
  SIMT_DEVICE static float wire(float v) { return Base::wire(v) + 0.0f; }
  template <class T>
  SIMT_DEVICE static T result(float sum) {
    return simt::from_float<T>(simt::to_float(Base::template result<T>(sum)) + 0.0f);
  }
};

/// Built so that subnormal numbers of fp32 are zeros: FlashInfer with -use_fast_math, AITER with -fgpu-flush-denormals-to-zero.
template <class Base>
struct FlushingSum : Base {
  SIMT_DEVICE static float wire(float v) { return flushed(Base::wire(v)); }
  template <class T>
  SIMT_DEVICE static float sum(float a, float b) {
    return flushed(Base::template sum<T>(a, b));
  }
};
using FlushingSums = FlushingSum<AbsoluteRules>;

/// aiter csrc/include/opus/opus.hpp e4048607 on gfx942: bf16 has the upper half of fp32.
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

/// Lamport: which pattern says that nothing came yet, and what is sent instead of it.
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
  static constexpr bool kOfWords = false;  ///< a word of 32 bits is empty or not; else each number
  template <class T>
  SIMT_DEVICE static T sent(T v) {
    return Sentinel::empty(v) ? simt::from_float<T>(Sentinel::kInstead) : v;
  }
  template <class T>
  SIMT_DEVICE static bool empty(T v) {
    return Sentinel::empty(v);
  }
  SIMT_DEVICE static int64_t cleared(int64_t packets) { return packets; }
  /// Bytes between what two ranks send: what the area has room for, whatever this message is.
  SIMT_DEVICE static int64_t room(int64_t of_area, int64_t /*of_message*/) { return of_area; }
  /// Which of the buffers comes next. It is no count, whose remainder by three jumps where it wraps.
  SIMT_DEVICE static uint32_t behind(uint32_t call, uint32_t buffers) { return (call + 1) % buffers; }
  static constexpr bool kMinusZero = Sentinel::kMinusZero;  ///< what buffers are filled with at first
};

/// sglang kernels/jit/include/sgl_kernel/distributed/communicator.cuh v0.5.19 to v0.5.23 LamportTrait<T, N, 4>: of two numbers of
/// 16 bits that are both the sentinel the first alone is sent as something else.
template <class Base>
struct OfWords : Base {
  static constexpr bool kOfWords = true;
};

// A packet of sixteen bytes, or one element, of all ranks added up.

/// Whether a sum of ranks ends with number i of so many. Rules with chunks begin each with +0.
template <class Rules>
SIMT_DEVICE bool ends_chunk(int i, int count) {
  static_assert(Rules::kChunk == 0 || Rules::kFromZero, "chunks are added from zero");
  return Rules::kChunk > 0 && (i + 1 == count || (i + 1) % (Rules::kChunk > 0 ? Rules::kChunk : 1) == 0);
}

/// Numbers as they come: load(rank) gives a Vector<T> of rank's packet.
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

/// The same of one element.
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

/// Whole packets of what a kernel works on, and the element behind them.
template <class T>
struct Packets {
  int64_t count, rest;
  SIMT_DEVICE explicit Packets(const AllReduceArguments& a)
      : count(a.whole ? a.elements / simt::Vector<T>::kElements : 0), rest(count * simt::Vector<T>::kElements) {}
};

}  // namespace assay_kernels
