// In which order ranks are added and what is rounded, line by line; a faulty kernel derives from one and replaces a line.
#pragma once

#include <type_traits>

#include "kernels/ops/all_reduce/area.h"
#include "kernels/ops/flushed.h"

namespace assay_kernels {

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

}  // namespace assay_kernels
