// Sums over ranks gone wrong: each the rules of its twin with one mistake.
#pragma once

#include "kernels/ops/all_reduce_add_rms_norm/fused.h"

namespace assay_kernels {

/// A loop over peers that ends one early.
struct RankDropped : AbsoluteRules {
  SIMT_DEVICE static int count(int /*reader*/, int ranks) { return ranks - 1; }
};

/// The sum begins with rank 0, and the loop does so, too.
struct RankCountedTwice : FlushingSum<AbsoluteRules> {
  SIMT_DEVICE static int count(int /*reader*/, int ranks) { return ranks + 1; }
  SIMT_DEVICE static int rank_of(int i, int /*owner*/, int /*reader*/, int /*ranks*/) { return i == 0 ? 0 : i - 1; }
};

/// Each rank adds from its own on.
struct RankOrderOfReader : AbsoluteRules {
  SIMT_DEVICE static int rank_of(int i, int /*owner*/, int reader, int ranks) { return (reader + i) % ranks; }
};

/// Owners add as one shot does.
struct RankOrderAbsolute : FromOwnerRules {
  SIMT_DEVICE static int rank_of(int i, int /*owner*/, int /*reader*/, int /*ranks*/) { return i; }
};

/// Sums in the numbers' own format.
struct RankSumsInT : NativeRules<AbsoluteRules> {};

/// Sums in fp16, whatever the numbers are.
struct RankSumsInF16 : AbsoluteRules {
  template <class T>
  SIMT_DEVICE static float sum(float a, float b) {
    return rounded_to<simt::F16>(a + b);
  }
};

/// Packed additions done in fp32.
struct RankSumsInF32 : FromZeroRules {};

/// The result is cut off.
struct RankTruncated : FromOwnerRules {
  template <class T>
  SIMT_DEVICE static T result(float sum) {
    if constexpr (sizeof(T) == 2) {
      const T nearest = simt::from_float<T>(sum);
      const bool away = simt::magnitude(simt::to_float(nearest)) > simt::magnitude(sum);
      return away ? T{uint16_t(nearest.bits - 1)} : nearest;
    } else {
      return sum;
    }
  }
};

/// Sums begin with +0, so that zeros of -0 lose their sign.
struct RankFromZero : FlushingSum<FromZeroRules> {};

/// A build without the flag that flushes.
struct RankSubnormalsKept : AbsoluteRules {};

/// bf16 rounded to nearest on a chip whose kernels cut it off.
struct RankRounded : FlushingSum<AbsoluteRules> {};

/// The last rank returns what it has.
struct RankMisses : AbsoluteRules {
  SIMT_DEVICE static int count(int reader, int ranks) { return reader + 1 == ranks ? 1 : ranks; }
  SIMT_DEVICE static int rank_of(int i, int /*owner*/, int reader, int ranks) { return reader + 1 == ranks ? reader : i; }
};

/// Flags of the barrier in the middle say nothing of what was written before.
struct RankBarrierRelaxed : FromOwnerRules {
  static constexpr bool kReleases = false;
};

/// There is no barrier in the middle.
struct RankBarrierMissing : FromOwnerRules {
  static constexpr bool kWaitsInTheMiddle = false;
};

/// Nobody waits until all have read: the next call's copy overtakes them.
struct RankEndMissing : AbsoluteRules {
  static constexpr bool kWaitsAtTheEnd = false;
};

/// Flags are the same in every call: those of the call before let everybody pass.
struct RankFlagFrozen : FromOwnerRules {
  static constexpr bool kCountsCalls = false;
};

/// What is copied is the part of the rank behind the owner.
struct RankSegmentNext : FromOwnerRules {
  SIMT_DEVICE static int segment_of(int owner, int ranks) { return (owner + 1) % ranks; }
};

/// What is behind equal parts stays what it is.
struct RankRestLeft : FromOwnerRules {
  static constexpr bool kTakesRest = false;
};

/// Nothing came yet if the number is a zero: also +0.
struct SentinelByValue : MinusZeroIsEmpty {
  template <class T>
  SIMT_DEVICE static bool empty(T v) {
    return simt::to_float(v) == 0.0f;
  }
};
struct RankSentinelByValue : LamportRules<FlushingSum<AbsoluteRules>, SentinelByValue> {};

/// -0 is sent as it is, and nobody sees that it came.
struct RankSentinelSent : LamportRules<FlushingSum<AbsoluteRules>, MinusZeroIsEmpty> {
  template <class T>
  SIMT_DEVICE static T sent(T v) {
    return v;
  }
};

/// Each number of 16 bits is a sentinel, where words of 32 bits are.
struct RankSentinelOfNumbers : LamportRules<AbsoluteRules, PlusZeroIsEmpty> {};

/// The buffer of the call before is not cleared.
struct RankBufferStale : LamportRules<FromZeroRules, PlusZeroIsEmpty> {
  SIMT_DEVICE static int64_t cleared(int64_t /*packets*/) { return 0; }
};

/// What ranks send lies as close as this message is long: a call of another size clears other places.
struct RankRoomBySize : LamportRules<FromZeroRules, PlusZeroIsEmpty> {
  SIMT_DEVICE static int64_t room(int64_t /*of_area*/, int64_t of_message) { return of_message; }
};

/// Buffers are chosen by a count of calls that wraps.
struct RankBufferByCount : LamportRules<FlushingSum<AbsoluteRules>, MinusZeroIsEmpty> {
  SIMT_DEVICE static uint32_t behind(uint32_t call, uint32_t /*buffers*/) { return call + 1; }
};

/// Waits while the flag is less than its own: where counts wrap nobody waits.
struct RankWaitsWhileLess : FromOwnerRules {
  static constexpr bool kWaitsOtherwise = true;
  static bool waited(const uint32_t* at, uint32_t flag) {
    return simt::cpu::wait_until(
        [](const void* a, uint64_t v) { return __atomic_load_n(static_cast<const uint32_t*>(a), __ATOMIC_ACQUIRE) >= v; }, at,
        flag);
  }
};

/// Waits so many turns and then goes on, as if all had come: enough for every rank but one that is late.
struct RankGivesUp : FromOwnerRules {
  static constexpr bool kWaitsOtherwise = true;
  static bool waited(const uint32_t* at, uint32_t flag) {
    for (int turn = 0; turn < 64 && __atomic_load_n(at, __ATOMIC_ACQUIRE) != flag; ++turn) simt::may_lag();
    return true;
  }
};

/// One flag for all barriers, which who waited for it puts back to 0: a peer that has raised it again by then is not heard.
struct RankFlagWiped : FromOwnerRules {
  static constexpr bool kKeepsFlags = false;
};

/// All ranks in one chain where eight and eight are added by themselves.
struct RankChunksForgotten : LamportRules<FlushingSum<FromZeroRules>, MinusZeroIsEmpty> {};

/// Writes over what its peers still read.
struct RankInPlace : FromZeroRules {};

using Int8Codec = IntegerCodec<128, true>;

/// The owner has the sum that nobody coded.
struct CodecOwnerKeeps : Int8Codec {
  static constexpr bool kOwnerReadsItsCodes = false;
};

/// One scale for both groups of a block: the first group's lane is that of all.
struct CodecOneScale : IntegerCodec<8, true> {
  SIMT_DEVICE static int lane_of(int /*place*/) { return 0; }
};

/// Owners read what ranks have before it was coded.
struct CodecOnePass : IntegerCodec<8, false> {
  static constexpr bool kFirstPass = false;
};

/// Codes reach as far down as up.
struct CodecSymmetric : IntegerCodec<8, true> {
  static constexpr float kLeast = -7;
};

/// FP16_OVFL is not set where it should be.
struct CodecOverflowToInf : IntegerCodec<128, false> {};

/// Nothing is added to a scale of zero before its reciprocal.
struct CodecEpsForgotten : IntegerCodec<8, false, simt::Bf16> {
  static constexpr float kEps = 0;
};

/// The owner has what its codes say, as all others.
struct CodecOwnerReads : AiterFp8<true> {
  static constexpr bool kOwnerKeeps = false;
};

/// Codes saturate, where the instruction without FP16_OVFL makes NaN beyond the largest one.
struct CodecSaturates : AiterFp8<false> {
  SIMT_DEVICE static uint8_t code(float scaled) { return simt::to_e4m3fnuz_sat(scaled); }
};
struct CodecInfSaturates : Fp8Codec<true> {
  template <class>
  SIMT_DEVICE static uint8_t code(float scaled) {
    return simt::to_e4m3fn_sat(scaled);
  }
};

/// Sums of fp16 overflow to Inf on the chip whose kernels arm FP16_OVFL.
struct RankSumToInf : NativeRules<FromZeroRules> {};

/// The cast of bf16 to fp16 without the divisor that keeps sums in range.
struct RankCastUnscaled : CastToHalf<FromZeroRules, true> {};

/// Squares in fp32 where they are made in 16 bits.
struct FusedSquaresInF32 : FlashinferMnnvlAddRmsNorm {
  template <class T>
  SIMT_DEVICE static float square(float z) {
    return z * z;
  }
};

/// Two scales for 64 numbers that have one.
struct CodecHalfTheGroup : AiterFp8<true, 32> {};

/// Stripes begin with rank 1.
struct CodecStripeNext : FlashinferFp8 {
  SIMT_DEVICE static int owner_of(int64_t group, int64_t groups, int ranks) {
    return (FlashinferFp8::owner_of(group, groups, ranks) + 1) % ranks;
  }
};

/// The scale has no sign.
struct CodecMagnitude : IntegerCodec<128, false> {
  SIMT_DEVICE static float extreme(float low, float high) {
    return simt::max_number(simt::magnitude(low), simt::magnitude(high));
  }
};

}  // namespace assay_kernels
