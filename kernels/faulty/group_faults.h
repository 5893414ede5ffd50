// Group quantization gone wrong, each as it went wrong somewhere: the contract's rules with the regression's own line.
//
// A mistake that fits several contracts is a template over the contract's rules: faulty/varied.cpp makes it elsewhere, and two at
// once.
#pragma once

#include "kernels/ops/quant_group/others.h"
#include "kernels/ops/quant_group/vllm.h"

namespace assay_kernels {

/// The packer takes scales for powers of two that are none: mantissa bits run into the byte before.
struct UnmaskedPackedMantissas : VllmGroupFp8Packed {
  static float scale(float amax) { return simt::max_number(amax / 448.0f, 1e-10f); }
  static float operand(float /*amax*/, float scale) { return 1.0f / scale; }
};

/// The producer writes fp32 scales where words of four exponents are read.
struct Fp32ScaleBitsForPacked : VllmGroupFp8Packed {
  static float scale(float amax) { return simt::max_number(amax / 448.0f, 1e-10f); }
  static float operand(float /*amax*/, float scale) { return 1.0f / scale; }
  static uint32_t pack(const float* s) { return simt::bits(s[0]); }
};

struct Range240For224 : VllmGroupFp8Fnuz {
  static float scale(float amax) { return amax / 240.0f; }
  static float clamp(float v) { return clamp_max_min(v, 240.0f); }
};

struct FloorForCeil : VllmGroupFp8Packed {
  static float scale(float amax) { return simt::from_bits(simt::bits(simt::max_number(amax / 448.0f, 1e-10f)) & 0x7f800000u); }
};

/// A quotient where torch on a GPU has a product with 1/448: what this project's own row said until kernels ran.
struct NativeQuotient : VllmGroupNativeGpu {
  static float scale(float amax) { return simt::max_or_nan(amax / 448.0f, kLeastScale); }
};

/// Bounds known at run time: the clamp drops a NaN for its lower one.
struct TritonNanBelow : VllmGroupTritonV0190 {
  static float clamp(float v) { return clamp_max_min(v, 448.0f); }
};

/// One XOR offset too many: half a warp is a group of 128 on 32 lanes, and two groups on 64.
template <class Base = VllmGroupFp8>
struct GroupsMergedAt64 : Base {
  template <int kWarp, int kLanes>
  static constexpr int kReach = kWarp / 2;
};

/// The cast cuts the mantissa off.
struct TruncatingE4m3fn {
  static constexpr int kType = ASSAY_FLOAT8_E4M3FN;
  static uint8_t encode(float v) {
    const float m = simt::magnitude(v);
    const uint32_t code = m < 0x1p-6f ? uint32_t(m * 512.0f) : (simt::bits(m) >> 20) - 960u;
    return uint8_t((simt::bits(v) >> 24 & 0x80u) | (m != m ? 0x7fu : code < 0x7eu ? code : 0x7eu));
  }
  static uint32_t encode4(const float* v) { return encode4_one_by_one<TruncatingE4m3fn>(v); }
};
template <class Base = VllmGroupFp8>
struct TruncationForNearest : Base {
  using Code = TruncatingE4m3fn;
};

/// Row-major bytes in a tensor whose strides say column-major.
template <class Base = AiterPer1x128>
struct TransposedScales : Base {
  static int64_t place(const ScalesOut& out, int64_t r, int64_t g) { return r * out.groups + g; }
};

template <class Base = VllmGroupFp8Packed>
struct StalePadding : Base {
  static constexpr bool kWritesPadding = false;
};

/// amax 0 gives the multiplier 448 / 0 and codes 0 * Inf.
template <class Base = SglangGroup8bit>
struct ZeroRowNan : Base {
  static float amax(float widest) { return widest; }
};

/// A maximum that drops NaN where torch's keeps it.
template <class Base = DeepgemmPerTokenCast>
struct NanLaundering : Base {
  static float widest(float a, float b) { return simt::max_number(a, b); }
};

/// Offset of the row in too narrow a type. The regressions wrap at 2^31 or 2^32 elements; this one at 2^16, which a test can
/// afford.
struct Offset32bit : VllmPerToken {
  using Offset = uint16_t;
};

/// OCP codes in a tensor that is read as fnuz: half the value, and NaN for -0.
struct OcpAsFnuz : E4m3fnSat {
  static constexpr int kType = ASSAY_FLOAT8_E4M3FNUZ;
};
template <class Base = VllmGroupFp8Fnuz>
struct OcpForFnuz : Base {
  using Code = OcpAsFnuz;
};

/// 1 / s without a floor under s: Inf for a zero group, and 0 * Inf after it.
template <class Base = AiterPer1x128>
struct UnguardedReciprocal : Base {
  static float amax(float widest) { return widest; }
};

/// Elements are read before the threads that stage them have written them.
template <class Base = VllmGroupFp8>
struct MissingBarrierInStaging : Base {
  static void staged() {}
};

/// transpose_scale=True by a view: the bytes stay row-major.
struct TransposeScaleNoOp : AiterPer1x128TransposeScale {
  static int64_t place(const ScalesOut& out, int64_t r, int64_t g) { return AiterPer1x128::place(out, r, g); }
};

}  // namespace assay_kernels
