// Heads normalized and rotated, sixteen bytes a lane: a head of n 16-bit numbers is the work of n / 8 neighbouring lanes of a
// warp, or of all of them with several loads each. A warp has as many heads as fit; all of its lanes shuffle, those of absent
// heads too.
#pragma once

#include "kernels/ops/qk_norm_rope/rules.h"

namespace assay_kernels {

template <class T, class Cache>
struct HeadArguments {
  const T* in;
  T* out;  ///< the same tensor, or one with room for more heads
  const T *q_weight, *k_weight;
  const Cache* cache;  ///< a row for each position: cosines, then sines
  const int32_t* positions;
  uint32_t count;               ///< heads to write, of all tokens
  uint32_t heads;               ///< to write, of a token
  uint32_t q_heads, live;       ///< of Q; that are read
  int64_t in_pitch, out_pitch;  ///< from token to token, in elements
  int32_t n, rotary;
  float eps;
};

/// The numbers of one lane.
template <class T, int kLoads>
struct HeadPart {
  static constexpr int kEach = simt::Vector<T>::kElements, kNumbers = kLoads * kEach;
  float at[kNumbers];

  SIMT_DEVICE void load(const T* from) {
    SIMT_UNROLL
    for (int k = 0; k < kLoads; ++k) {
      const auto loaded = simt::load16(from + k * kEach);
      SIMT_UNROLL
      for (int i = 0; i < kEach; ++i) at[k * kEach + i] = simt::to_float(loaded.at[i]);
    }
  }

  SIMT_DEVICE void store(T* to) const {
    SIMT_UNROLL
    for (int k = 0; k < kLoads; ++k) {
      simt::Vector<T> v;
      SIMT_UNROLL
      for (int i = 0; i < kEach; i += 2) simt::from_floats(at[k * kEach + i], at[k * kEach + i + 1], v.at[i], v.at[i + 1]);
      simt::store16(to + k * kEach, v);
    }
  }

  /// In pairs, pairs of pairs and so on: log2(kNumbers) additions deep.
  SIMT_DEVICE float squares() const {
    float sum[kNumbers];
    SIMT_UNROLL
    for (int i = 0; i < kNumbers; ++i) sum[i] = at[i] * at[i];
    SIMT_UNROLL
    for (int half = kNumbers / 2; half > 0; half /= 2) {
      SIMT_UNROLL
      for (int i = 0; i < half; ++i) sum[i] += sum[i + half];
    }
    return sum[0];
  }

  SIMT_DEVICE void round() {
    SIMT_UNROLL
    for (int i = 0; i < kNumbers; ++i) at[i] = simt::to_float(simt::from_float<T>(at[i]));
  }
};

/// The rotated numbers of a head begin at `first`; this lane's at `own`.
template <class Rules, int kWarp, class T, class Cache, int kLoads>
SIMT_DEVICE void rotate_head(HeadPart<T, kLoads>& part, const Cache* row, int own, int first, const HeadArguments<T, Cache>& a) {
  constexpr int kNumbers = HeadPart<T, kLoads>::kNumbers;
  const int pairs = a.rotary / 2, at = own - first;
  const bool rotates = at >= 0 && at < a.rotary;
  if (Rules::kNeox) {
    const int lanes_apart = Rules::apart(a.rotary, a.n) / kNumbers;
    float other[kNumbers];
    if (!Rules::kDivergentShuffle || rotates) {
      SIMT_UNROLL
      for (int i = 0; i < kNumbers; ++i) other[i] = simt::shuffle_xor<kWarp>(part.at[i], lanes_apart);
    }
    if (!rotates) return;
    const bool is_second = at >= pairs;
    SIMT_UNROLL
    for (int i = 0; i < kNumbers; ++i) {
      const int pair = is_second ? at - pairs + i : at + i;
      const float c = simt::to_float(row[Rules::cos_at(pair, pairs)]), s = simt::to_float(row[Rules::sin_at(pair, pairs)]);
      part.at[i] = Rules::rotated(part.at[i], other[i], is_second, c, s);
    }
  } else if (rotates) {
    SIMT_UNROLL
    for (int i = 0; i < kNumbers; i += 2) {
      const int pair = (at + i) / 2;
      const float c = simt::to_float(row[Rules::cos_at(pair, pairs)]), s = simt::to_float(row[Rules::sin_at(pair, pairs)]);
      const float even = part.at[i], odd = part.at[i + 1];
      part.at[i] = Rules::rotated(even, odd, false, c, s);
      part.at[i + 1] = Rules::rotated(odd, even, true, c, s);
    }
  }
}

template <class Rules, class T, class Cache, int kWarp, int kLanes, int kLoads>
SIMT_KERNEL void norm_rope_heads(HeadArguments<T, Cache> a) {
  using Part = HeadPart<T, kLoads>;
  const auto index = uint32_t(simt::block()) * uint32_t(simt::block_size() / kLanes) + uint32_t(simt::thread() / kLanes);
  const bool writes = index < a.count;
  const uint32_t token = writes ? index / a.heads : 0, head = writes ? index - token * a.heads : 0;
  const bool live = writes && head < a.live;
  const int own = simt::thread() % kLanes * Part::kNumbers;
  Part part{};
  if (live) part.load(a.in + token * a.in_pitch + int64_t{head} * a.n + own);
  const float sum = simt::lane_reduce<kWarp, kLanes>(part.squares(), [](float x, float y) { return x + y; });
  const float r = Rules::factor(sum, float(a.n), a.eps);
  Part weight{};
  if (Rules::kWeighted) weight.load((Rules::takes_q_weight(head < a.q_heads) ? a.q_weight : a.k_weight) + own);
  SIMT_UNROLL
  for (int i = 0; i < Part::kNumbers; ++i) part.at[i] = Rules::normalized(part.at[i], r, weight.at[i]);
  if (Rules::kRoundsNorm) part.round();
  const int64_t position = Rules::position(a.positions[token], token);
  rotate_head<Rules, kWarp>(part, a.cache + position * a.rotary, own, Rules::kLast ? a.n - a.rotary : 0, a);
  if (!live) part = Part{};  // heads beyond those of q are zeros
  if (live || (writes && Rules::clears_padding())) part.store(a.out + token * a.out_pitch + int64_t{head} * a.n + own);
}

}  // namespace assay_kernels
