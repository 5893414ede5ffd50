// Quantization to int8 gone wrong, with and without a zero point, each as it went wrong somewhere.
#pragma once

#include "kernels/ops/quant_azp/rules.h"
#include "kernels/ops/quant_group/int8.h"
#include "kernels/ops/quant_static/rules.h"

namespace assay_kernels {

/// Rounded where the op cuts off: about half of all codes are one more.
struct Int8NearestForTruncation : VllmGroupInt8 {
  using Code = Int8Nearest;
};

/// Cut off where the op rounds.
struct Int8TruncationForNearest : VllmPerTokenInt8 {
  using Code = Int8Truncated;
};

/// C's round() for ties to even.
struct Int8TiesAwayForEven : VllmPerTokenInt8 {
  using Code = Int8TiesAway;
};

/// Limits of the same magnitude on both sides.
struct Int8LimitedEvenly : VllmStaticInt8 {
  static float clamp(float v) { return clamp_keep(v, 127.0f); }
};

/// The reciprocal of the stored scale, which is rounded once more than 127 / amax.
struct Int8InverseOfScale : VllmPerTokenInt8 {
  static float operand(float /*amax*/, float scale) { return 1.0f / scale; }
};

/// A group of zeros has the scale 0, and 0 / 0 meets the lower bound.
struct Int8ZeroGroup : VllmGroupInt8 {
  static float amax(float widest) { return widest; }
};

/// The low byte of an int32.
struct Int8LowByte : Int8Nearest {
  static uint8_t encode(float v) { return uint8_t(simt::to_int32_sat(v)); }
  static uint32_t encode4(const float* v) { return encode4_one_by_one<Int8LowByte>(v); }
};
struct Int8CodeWraps : VllmStaticInt8 {
  using Code = Int8LowByte;
};

/// A sum of int32 beyond its range, as hardware has it.
struct AzpSumWraps : VllmStaticInt8Azp {
  static int32_t integer(float x, float m, int32_t azp) { return int32_t(uint32_t(simt::to_int32_sat(x * m)) + uint32_t(azp)); }
};

/// One rounding of the sum: other ties, for an odd zero point.
struct AzpAddedBeforeRounding : VllmPerTokenInt8Azp {
  static int32_t integer(float x, float m, int32_t azp) { return simt::to_int32_sat(x * m + float(azp)); }
};

struct AzpForgotten : VllmPerTokenInt8Azp {
  static int32_t integer(float x, float m, int32_t /*azp*/) { return simt::to_int32_sat(x * m); }
};

/// int() of the zero point.
struct AzpCutOff : VllmPerTokenInt8Azp {
  static int32_t zero(float lo, float scale) {
    const float v = -128.0f - lo / scale;
    return simt::magnitude(v) < 0x1p31f ? int32_t(v) : simt::to_int32_sat(v);
  }
};

/// One step less than the codes have.
struct Azp254Steps : VllmPerTokenInt8Azp {
  static float scale(float lo, float hi) { return (hi + 0.0f - lo) / 254.0f; }
};

/// A maximum that starts from 0: rows of negative numbers.
struct AzpMaximumFromZero : VllmPerTokenInt8Azp {
  static constexpr float kGreatestAtFirst = 0.0f;
};

}  // namespace assay_kernels
