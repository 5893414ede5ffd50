// QuickReduce's codecs on fp16, or on bf16 where it is not cast: 64 numbers in a row are two groups, those of even and those of odd place, and
// each has a scale. vllm csrc/quickreduce/quick_reduce_impl.cuh 0bf6342edb; mk1-project/quickreduce 910e892 for fp8.
#pragma once

#include "kernels/ops/all_reduce/rules.h"

namespace assay_kernels {

inline constexpr int kCodecBlock = 64;       ///< numbers of two groups
inline constexpr int kCodecBytes = 64 + 16;  ///< their codes and, in a packet of its own, their scales

/// A number of T. kSaturates: MODE.FP16_OVFL is set, which is of fp16 alone.
template <class T, bool kSaturates>
SIMT_DEVICE float half_number(float v) {
  const float h = simt::to_float(simt::from_float<T>(v));
  const bool overflows = kSaturates && simt::magnitude(h) > 65504.0f;
  return overflows ? (h > 0 ? 65504.0f : -65504.0f) : h;
}

/// kScaleEpsilon of the source, 0x0001 and 0x33D7; its 1/240, 0x1C44 and 0x3B88.
template <class T>
struct CodecConstants {
  static constexpr float kEps = 0x1p-24f, kOver240 = 1092.0f / 262144.0f;
  static constexpr bool kMaySaturate = true;
};
template <>
struct CodecConstants<simt::Bf16> {
  static constexpr float kEps = 0x1.aep-24f, kOver240 = 17.0f / 4096.0f;
  static constexpr bool kMaySaturate = false;
};

/// e4m3fnuz as v_cvt_pk_fp8_f32 makes it where FP16_OVFL is not set: from the tie 248 on NaN.
SIMT_DEVICE uint8_t to_e4m3fnuz_nosat(float v) {
  return simt::magnitude(v) < 248.0f ? simt::to_e4m3fnuz_sat(v) : uint8_t(0x80);
}

/// T: of the arithmetic; S: of the message.
template <class T, class S = T>
struct CodecRules : CodecConstants<T> {
  using Number = T;
  using Stored = S;
  static constexpr bool kSaturates = true;
  static constexpr bool kFirstPass = true, kOwnerReadsItsCodes = true;
  SIMT_DEVICE static int lane_of(int place) { return place % 2; }  ///< which of two groups
};

template <int kLevels, bool kOverflowSaturates, class T = simt::F16, class S = T>
struct IntegerCodec : CodecRules<T, S> {
  static constexpr bool kSaturates = kOverflowSaturates;
  static constexpr float kMost = kLevels - 1, kLeast = -kLevels;
  SIMT_DEVICE static float extreme(float low, float high) { return -low >= high ? low : high; }
  SIMT_DEVICE static float scale(float m) { return half_number<T, kSaturates>(m * (-1.0f / kLevels)); }
  template <class Rules>
  SIMT_DEVICE static uint8_t code(float scaled) {
    const float limited = simt::min_number(simt::max_number(scaled, Rules::kLeast), Rules::kMost);  // NaN becomes the least
    return simt::to_int8_sat(limited);
  }
  SIMT_DEVICE static float number(uint8_t code) { return float(int8_t(code)); }
};

/// kOcp: e4m3fn, of gfx950, where FP16_OVFL is not set and nothing saturates; else e4m3fnuz of gfx942, where it is.
template <bool kOcp, class T = simt::F16, class S = T>
struct Fp8Codec : CodecRules<T, S> {
  static constexpr bool kSaturates = !kOcp && CodecConstants<T>::kMaySaturate;
  static constexpr int kBias = kOcp ? 7 : 8;
  SIMT_DEVICE static float extreme(float low, float high) {
    return simt::max_number(simt::magnitude(low), simt::magnitude(high));
  }
  SIMT_DEVICE static float scale(float m) { return half_number<T, kSaturates>(m * CodecRules<T>::kOver240); }
  template <class>
  SIMT_DEVICE static uint8_t code(float scaled) {
    return kOcp ? simt::to_e4m3fn_nosat(scaled) : simt::to_e4m3fnuz_sat(scaled);
  }
  SIMT_DEVICE static float number(uint8_t code) {
    if (kOcp ? (code & 0x7f) == 0x7f : code == 0x80) return simt::from_bits(0x7fc00000u);
    const int exponent = code >> 3 & 15, fraction = code & 7;
    float magnitude = exponent == 0 ? float(fraction) * 0.125f * 2.0f : 1.0f + float(fraction) * 0.125f;
    for (int e = exponent; e < kBias; ++e) magnitude *= 0.5f;
    for (int e = kBias; e < exponent; ++e) magnitude *= 2.0f;
    return code & 0x80 ? -magnitude : magnitude;
  }
};

/// Codes of 64 numbers and their scales, sent to where others read them.
template <class Rules>
SIMT_DEVICE void encode_block(const float* v, unsigned char* to) {
  float low[2], high[2], scale[2], mult[2];
  for (int lane = 0; lane < 2; ++lane) {
    low[lane] = high[lane] = simt::from_bits(0x7fc00000u);
    for (int i = 0; i < kCodecBlock; ++i)
      if (Rules::lane_of(i) == lane)
        low[lane] = simt::min_number(low[lane], v[i]), high[lane] = simt::max_number(high[lane], v[i]);
    scale[lane] = Rules::scale(Rules::extreme(low[lane], high[lane]));
    const float divisor = half_number<typename Rules::Number, Rules::kSaturates>(scale[lane] + Rules::kEps);
    mult[lane] = half_number<typename Rules::Number, Rules::kSaturates>(1.0f / divisor);
  }
  for (int begin = 0; begin < kCodecBlock; begin += 16) {
    simt::Vector<uint8_t> codes;
    for (int i = 0; i < 16; ++i)
      codes.at[i] = Rules::template code<Rules>(half_number<typename Rules::Number, Rules::kSaturates>(v[begin + i] * mult[Rules::lane_of(begin + i)]));
    simt::send16(reinterpret_cast<uint8_t*>(to) + begin, codes);
  }
  simt::Vector<float> scales{{scale[0], scale[1], 0.0f, 0.0f}};
  simt::send16(reinterpret_cast<float*>(to + kCodecBlock), scales);
}

/// The numbers that a reader of the codes has.
template <class Rules>
SIMT_DEVICE void decode_block(const unsigned char* from, float* v) {
  const simt::Vector<float> scales = simt::receive16(reinterpret_cast<const float*>(from + kCodecBlock));
  for (int begin = 0; begin < kCodecBlock; begin += 16) {
    const simt::Vector<uint8_t> codes = simt::receive16(reinterpret_cast<const uint8_t*>(from) + begin);
    for (int i = 0; i < 16; ++i)
      v[begin + i] = half_number<typename Rules::Number, Rules::kSaturates>(Rules::number(codes.at[i]) * scales.at[Rules::lane_of(begin + i)]);
  }
}

}  // namespace assay_kernels
