// All-reduce of quantized values: QuickReduce's codecs, and two-shot kernels that exchange codes. In some of these kernels, the
// owner of a part (the rank that adds it) returns its exact sums.
#pragma once

#include "kernels/ops/all_reduce/all_reduce_plain_kernels.h"
#include "kernels/ops/all_reduce/all_reduce_rules.h"

namespace assay_kernels {

// QuickReduce's codecs. They compute in fp16, or in bf16 if a bf16 x is not cast to fp16. A block of 64 consecutive elements has
// two groups: the elements at even positions, and the elements at odd positions. Each group has a scale.
// Source: vllm csrc/quickreduce/quick_reduce_impl.cuh 0bf6342edb; for fp8, mk1-project/quickreduce 910e892.

inline constexpr int kCodecBlock = 64;       ///< elements of a block: two groups of 32
inline constexpr int kCodecBytes = 64 + 16;  ///< bytes of a block: its 64 codes, then a 16-byte packet with both scales

/// Rounds a value to T. If kSaturates (only with T = fp16), finite values saturate, as on AMD GPUs while MODE.FP16_OVFL is set.
template <class T, bool kSaturates>
SIMT_DEVICE float half_number(float v) {
  return kSaturates ? saturated_to<T>(v) : rounded_to<T>(v);
}

/// The reciprocal of v, rounded to T. 1 / 0 is Inf; under MODE.FP16_OVFL we assume that it saturates to 65504.
template <class T, bool kSaturates>
SIMT_DEVICE float half_reciprocal(float v) {
  constexpr float kMost = 65504.0f;
  const float h = rounded_to<T>(1.0f / v);
  return kSaturates && simt::magnitude(h) > kMost ? (h > 0 ? kMost : -kMost) : h;
}

/// kEps is kScaleEpsilon of the source: code 0x0001 in fp16, 0x33D7 in bf16. kOver240 is the source's 1/240: 0x1C44 and 0x3B88.
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

/// Converts to e4m3fnuz as v_cvt_pk_fp8_f32 does without FP16_OVFL: magnitudes >= 248 (midway between 240 and 256) become NaN.
SIMT_DEVICE uint8_t to_e4m3fnuz_nosat(float v) {
  return simt::magnitude(v) < 248.0f ? simt::to_e4m3fnuz_sat(v) : uint8_t(0x80);
}

/// T: type in which the codec computes. S: type of x and y. kFirstPass, kOwnerReadsItsCodes: false only in deliberately wrong kernels.
template <class T, class S = T>
struct CodecRules : CodecConstants<T> {
  using Number = T;
  using Stored = S;
  static constexpr bool kSaturates = true;
  static constexpr bool kFirstPass = true, kOwnerReadsItsCodes = true;
  SIMT_DEVICE static int lane_of(int place) { return place % 2; }  ///< the group of an element: 0 or 1
};

/// Codes are the integers from -kLevels to kLevels - 1. kOverflowSaturates: MODE.FP16_OVFL is set, as on gfx942.
template <int kLevels, bool kOverflowSaturates, class T = simt::F16, class S = T>
struct IntegerCodec : CodecRules<T, S> {
  static constexpr bool kSaturates = kOverflowSaturates;
  static constexpr float kMost = kLevels - 1, kLeast = -kLevels;
  SIMT_DEVICE static float extreme(float low, float high) { return -low >= high ? low : high; }
  SIMT_DEVICE static float scale(float m) { return half_number<T, kSaturates>(m * (-1.0f / kLevels)); }
  template <class Rules>
  SIMT_DEVICE static uint8_t code(float scaled) {
    const float limited = simt::min_number(simt::max_number(scaled, Rules::kLeast), Rules::kMost);  // NaN becomes the lowest code
    return simt::to_int8_sat(limited);
  }
  SIMT_DEVICE static float number(uint8_t code) { return float(int8_t(code)); }
};

/// If kOcp, codes are e4m3fn and values do not saturate, as on gfx950. Otherwise codes are e4m3fnuz and MODE.FP16_OVFL is set, as on gfx942.
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

/// Quantizes 64 elements and writes their codes and scales to this rank's area, where the other ranks read them.
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
    mult[lane] = half_reciprocal<typename Rules::Number, Rules::kSaturates>(divisor);
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

/// Dequantizes 64 elements.
template <class Rules>
SIMT_DEVICE void decode_block(const unsigned char* from, float* v) {
  const simt::Vector<float> scales = simt::receive16(reinterpret_cast<const float*>(from + kCodecBlock));
  for (int begin = 0; begin < kCodecBlock; begin += 16) {
    const simt::Vector<uint8_t> codes = simt::receive16(reinterpret_cast<const uint8_t*>(from) + begin);
    for (int i = 0; i < 16; ++i)
      v[begin + i] = half_number<typename Rules::Number, Rules::kSaturates>(Rules::number(codes.at[i]) * scales.at[Rules::lane_of(begin + i)]);
  }
}

// Two-shot all-reduce that exchanges codes twice. Every rank quantizes its input. The owner of a part dequantizes all inputs, adds
// them in the type Rules::Number, starting from +0, and quantizes the sums. All ranks, owners included, return the dequantized sums.

template <class Rules, class Protocol>
SIMT_KERNEL void all_reduce_coded(AllReduceArguments a) {
  using T = typename Rules::Stored;
  using Number = typename Rules::Number;
  const RankBlock me(a);
  const int64_t stride = int64_t{simt::block_size()} * a.blocks, first = int64_t{me.block} * simt::block_size() + simt::thread();
  const int64_t groups = (a.elements + kCodecBlock - 1) / kCodecBlock;
  const RankParts parts{a.elements / kCodecBlock / a.ranks, groups, a.ranks};
  const auto numbers_of = [&](int rank, int64_t g) { return a.area[rank] + kAreaBuffer + g * kCodecBytes; };
  const auto sums_of = [&](int rank, int64_t g) { return numbers_of(rank, groups + g); };
  const auto owner_of = [&](int64_t g) {
    return parts.part == 0 ? a.ranks - 1 : int(g / parts.part < a.ranks ? g / parts.part : a.ranks - 1);
  };
  const auto number_of = [&](int rank, int64_t i) {
    return i < a.elements ? half_number<Number, Rules::kSaturates>(simt::to_float(static_cast<const T*>(a.x[rank])[i])) : 0.0f;
  };
  auto* const y = static_cast<T*>(a.y[me.rank]);

  rank_barrier<Protocol, RankPlace::kStart, false>(a, me);
  float v[kCodecBlock], sum[kCodecBlock];
  for (int64_t g = first; g < groups; g += stride) {
    for (int i = 0; i < kCodecBlock; ++i) v[i] = number_of(me.rank, g * kCodecBlock + i);
    encode_block<Rules>(v, numbers_of(me.rank, g));
  }
  rank_barrier<Protocol, RankPlace::kMiddle, true>(a, me);
  for (int64_t g = first; g < groups; g += stride) {
    if (owner_of(g) != me.rank) continue;
    for (int i = 0; i < kCodecBlock; ++i) sum[i] = 0.0f;
    for (int rank = 0; rank < a.ranks; ++rank) {
      if (Rules::kFirstPass) {
        decode_block<Rules>(numbers_of(rank, g), v);
      } else {
        for (int i = 0; i < kCodecBlock; ++i) v[i] = number_of(rank, g * kCodecBlock + i);
      }
      for (int i = 0; i < kCodecBlock; ++i) sum[i] = half_number<Number, Rules::kSaturates>(sum[i] + v[i]);
    }
    encode_block<Rules>(sum, sums_of(me.rank, g));
    for (int i = 0; i < kCodecBlock && !Rules::kOwnerReadsItsCodes; ++i)
      if (g * kCodecBlock + i < a.elements) y[g * kCodecBlock + i] = simt::from_float<T>(sum[i]);
  }
  rank_barrier<Protocol, RankPlace::kMiddle, true>(a, me);
  for (int64_t g = first; g < groups; g += stride) {
    const int owner = owner_of(g);
    if (owner == me.rank && !Rules::kOwnerReadsItsCodes) continue;
    decode_block<Rules>(sums_of(owner, g), v);
    for (int i = 0; i < kCodecBlock; ++i)
      if (g * kCodecBlock + i < a.elements) y[g * kCodecBlock + i] = simt::from_float<T>(v[i]);
  }
  rank_barrier<Protocol, RankPlace::kEnd, false>(a, me);
}

// Two-shot all-reduce with 8-bit codes. The owner of a part adds it and returns its exact sums. It sends the other ranks
// quantized sums, and they return the dequantized values.
// Source: aiter csrc/include/custom_all_reduce.cuh e4048607 allReduceQuantFp8; flashinfer flashinfer/comm/quantized_allreduce.py
// fb28d724.

/// kChunkOf: number of a group's codes that a thread packs at once. kGroupBytes: bytes of a group's codes and scale in a rank's area.
template <class Rules>
inline constexpr int kChunkOf = Rules::kGroup < 16 ? Rules::kGroup : 16;
template <class Rules>
inline constexpr int kGroupBytes = (Rules::kGroup < 16 ? 16 : Rules::kGroup) + 16;

/// kIsOcp: codes are e4m3fn; otherwise they are e4m3fnuz. kNumbers: elements per group. A rank owns a whole number of groups.
/// kCodesNumbers: ranks exchange codes of their inputs, too. kOwnerKeeps: the owner returns its exact sums.
template <bool kIsOcp, int kNumbers = 128>
struct AiterFp8 {
  using Number = simt::F16;
  static constexpr int kGroup = kNumbers;
  static constexpr bool kOcp = kIsOcp, kCodesNumbers = false, kOwnerKeeps = true;
  static constexpr float kMost = kIsOcp ? 448.0f : 240.0f;

  SIMT_DEVICE static int owner_of(int64_t group, int64_t groups, int ranks) { return int(group / (groups / ranks)); }
  SIMT_DEVICE static int rank_of(int i, int owner, int ranks) { return (owner + i) % ranks; }
  SIMT_DEVICE static float begun(float first) { return first; }
  SIMT_DEVICE static float ended(float sum) { return rounded_to<Number>(sum); }
  SIMT_DEVICE static float scale(float widest) { return rounded_to<Number>(widest / kMost); }
  SIMT_DEVICE static float scaled(float v, float /*widest*/, float scale) { return v / scale; }
  SIMT_DEVICE static uint8_t code(float scaled) { return kOcp ? simt::to_e4m3fn_nosat(scaled) : to_e4m3fnuz_nosat(scaled); }
};

struct FlashinferFp8 {
  using Number = simt::Bf16;
  static constexpr int kGroup = 256, kStripe = 4096;
  static constexpr bool kOcp = true, kCodesNumbers = true, kOwnerKeeps = true;

  SIMT_DEVICE static int owner_of(int64_t group, int64_t /*groups*/, int ranks) {
    return int(group / (kStripe / kGroup) % ranks);
  }
  SIMT_DEVICE static int rank_of(int i, int /*owner*/, int /*ranks*/) { return i; }
  SIMT_DEVICE static float begun(float first) { return 0.0f + first; }
  SIMT_DEVICE static float ended(float sum) { return sum; }
  SIMT_DEVICE static float scale(float widest) { return simt::max_number(widest, 1e-12f) / 448.0f; }
  SIMT_DEVICE static float scaled(float v, float widest, float /*scale*/) {
    const float multiplier = 448.0f / simt::max_number(widest, 1e-12f);
    // NaN becomes +448, as in Triton's clamp with constant limits
    return simt::max_number(simt::min_number(v * multiplier, 448.0f), -448.0f);
  }
  SIMT_DEVICE static uint8_t code(float scaled) { return simt::to_e4m3fn_sat(scaled); }
};

/// Writes the codes of a group and their scale to this rank's area. `chunk_from(i, v)` puts the values of the chunk that begins
/// at element i of the group into v.
template <class Rules, class ChunkFrom>
SIMT_DEVICE void encode_group(unsigned char* to, ChunkFrom chunk_from) {
  constexpr int kChunk = kChunkOf<Rules>;
  float v[kChunk], widest = 0.0f;
  for (int first = 0; first < Rules::kGroup; first += kChunk) {
    chunk_from(first, v);
    for (int i = 0; i < kChunk; ++i) widest = simt::max_number(widest, simt::magnitude(v[i]));
  }
  const float scale = Rules::scale(widest);
  for (int first = 0; first < Rules::kGroup; first += kChunk) {
    chunk_from(first, v);
    simt::Vector<uint8_t> codes{};
    for (int i = 0; i < kChunk; ++i) {
      codes.at[i] = Rules::code(Rules::scaled(v[i], widest, scale));
    }
    simt::send16(reinterpret_cast<uint8_t*>(to) + first, codes);
  }
  simt::Vector<float> scales{{scale, 0.0f, 0.0f, 0.0f}};
  simt::send16(reinterpret_cast<float*>(to + kGroupBytes<Rules> - 16), scales);
}

/// Dequantizes the chunk (kChunkOf elements) that begins at element `first` of a group. The values are not rounded to 16 bits.
template <class Rules>
SIMT_DEVICE void decode_chunk(const unsigned char* from, int first, float* v) {
  const float scale = simt::receive16(reinterpret_cast<const float*>(from + kGroupBytes<Rules> - 16)).at[0];
  const simt::Vector<uint8_t> codes = simt::receive16(reinterpret_cast<const uint8_t*>(from) + first);
  for (int i = 0; i < kChunkOf<Rules>; ++i) v[i] = Fp8Codec<Rules::kOcp>::number(codes.at[i]) * scale;
}

template <class Rules, class Protocol>
SIMT_KERNEL void all_reduce_owner_keeps(AllReduceArguments a) {
  using T = typename Rules::Number;
  constexpr int kGroup = Rules::kGroup, kBytes = kGroupBytes<Rules>, kChunk = kChunkOf<Rules>;
  const RankBlock me(a);
  const int64_t stride = int64_t{simt::block_size()} * a.blocks, begin = int64_t{me.block} * simt::block_size() + simt::thread();
  const int64_t groups = a.elements / kGroup;
  const auto numbers_of = [&](int rank, int64_t g) { return a.area[rank] + kAreaBuffer + g * kBytes; };
  const auto sums_of = [&](int rank, int64_t g) { return numbers_of(rank, groups + g); };
  auto* const y = static_cast<T*>(a.y[me.rank]);
  const auto inputs = [&](int rank, int64_t g, int first, float* v) {
    for (int i = 0; i < kChunk; ++i) v[i] = simt::to_float(static_cast<const T*>(a.x[rank])[g * kGroup + first + i]);
  };

  rank_barrier<Protocol, RankPlace::kStart, false>(a, me);
  if (Rules::kCodesNumbers) {
    for (int64_t g = begin; g < groups; g += stride)
      encode_group<Rules>(numbers_of(me.rank, g), [&](int first, float* v) { inputs(me.rank, g, first, v); });
    rank_barrier<Protocol, RankPlace::kMiddle, true>(a, me);
  }
  for (int64_t g = begin; g < groups; g += stride) {
    if (Rules::owner_of(g, groups, a.ranks) != me.rank) continue;
    const auto sums = [&](int first, float* sum) {
      float v[kChunk];
      for (int k = 0; k < a.ranks; ++k) {
        const int rank = Rules::rank_of(k, me.rank, a.ranks);
        if (Rules::kCodesNumbers)
          decode_chunk<Rules>(numbers_of(rank, g), first, v);
        else
          inputs(rank, g, first, v);
        for (int i = 0; i < kChunk; ++i) sum[i] = k == 0 ? Rules::begun(v[i]) : sum[i] + v[i];
      }
      for (int i = 0; i < kChunk; ++i) sum[i] = Rules::ended(sum[i]);
    };
    encode_group<Rules>(sums_of(me.rank, g), sums);
    for (int first = 0; first < kGroup && Rules::kOwnerKeeps; first += kChunk) {
      float sum[kChunk];
      sums(first, sum);
      for (int i = 0; i < kChunk; ++i) y[g * kGroup + first + i] = simt::from_float<T>(sum[i]);
    }
  }
  rank_barrier<Protocol, RankPlace::kMiddle, true>(a, me);
  for (int64_t g = begin; g < groups; g += stride) {
    const int owner = Rules::owner_of(g, groups, a.ranks);
    for (int first = 0; first < kGroup && !(owner == me.rank && Rules::kOwnerKeeps); first += kChunk) {
      float v[kChunk];
      decode_chunk<Rules>(sums_of(owner, g), first, v);
      for (int i = 0; i < kChunk; ++i) y[g * kGroup + first + i] = simt::from_float<T>(v[i]);
    }
  }
  rank_barrier<Protocol, RankPlace::kEnd, false>(a, me);
}

}  // namespace assay_kernels
