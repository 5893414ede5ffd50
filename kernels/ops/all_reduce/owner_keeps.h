// Two shots of codes of 8 bits whose owners return their sums as they are: what owners and other ranks have differs by a pass of
// the codec. aiter csrc/include/custom_all_reduce.cuh e4048607 allReduceQuantFp8; flashinfer
// flashinfer/comm/quantized_allreduce.py fb28d724.
#pragma once

#include "kernels/ops/all_reduce/barrier.h"
#include "kernels/ops/all_reduce/codecs.h"
#include "kernels/ops/all_reduce/two_shot.h"

namespace assay_kernels {

/// Codes that are sent at once, and bytes of a group with its scale.
template <class Rules>
inline constexpr int kChunkOf = Rules::kGroup < 16 ? Rules::kGroup : 16;
template <class Rules>
inline constexpr int kGroupBytes = (Rules::kGroup < 16 ? 16 : Rules::kGroup) + 16;

/// kOcp: e4m3fn, else fnuz. kNumbers: of a group, by what the part of a rank is a multiple of.
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
    return simt::max_number(simt::min_number(v * multiplier, 448.0f), -448.0f);  // of NaN +448: a clamp by constants in Triton
  }
  SIMT_DEVICE static uint8_t code(float scaled) { return simt::to_e4m3fn_sat(scaled); }
};

/// Codes of a group and their scale, sent to where others read them. `chunk_from(i, v)` gives the numbers of a chunk from i on.
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

/// The numbers of a chunk of a group from `first` on, before they are rounded.
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
