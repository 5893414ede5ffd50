// Heads normalized and rotated: a head of n 16-bit numbers is the work of n / 16 neighbouring lanes with two loads each, half a
// head apart, so that where all of a head is rotated by Neox a lane has its partners itself. A warp has as many heads as fit; all
// of its lanes shuffle, those of absent heads too.
#pragma once

#include "kernels/ops/qk_norm_rope/head_part.h"
#include "kernels/ops/quant_group/scales_out.h"

namespace assay_kernels {

template <class T, class Cache>
struct HeadArguments {
  const T* in;
  T* out;  ///< the same tensor, or one with room for more heads
  const T *q_weight, *k_weight;
  const Cache* cache;  ///< a row for each position: cosines, then sines
  const int64_t* positions;
  uint32_t count;               ///< heads to write, of all tokens
  Divider by_heads;             ///< to write, of a token
  uint32_t q_heads, live;       ///< of Q; that are read
  int64_t in_pitch, out_pitch;  ///< from token to token, in elements
  int32_t rotary;
  float eps;
};

/// kWhole: by Neox, all numbers of the head. `index`: of the heads to write. All lanes of a warp take part.
template <class Rules, class T, class Cache, int kWarp, int kLanes, bool kWhole>
SIMT_DEVICE void norm_rope_head(const HeadArguments<T, Cache>& a, uint32_t index) {
  using Part = HeadPart<T, kLanes>;
  constexpr int kNumbers = kLanes * kHeadLoads * kHeadLoad;  // of a head
  const bool writes = index < a.count;
  const uint32_t token = writes ? a.by_heads.quotient(index) : 0, head = writes ? index - token * a.by_heads.divisor : 0;
  const bool live = writes && head < a.live;
  const int lane = simt::thread() % kLanes;
  const Cache* const row = a.cache + Rules::position(a.positions[token], token) * a.rotary;
  HeadWords<kLanes> words{}, weights{};
  if (live) words.load(a.in + token * a.in_pitch + int64_t{head} * kNumbers, lane);
  if (Rules::kWeighted) weights.load(Rules::takes_q_weight(head < a.q_heads) ? a.q_weight : a.k_weight, lane);
  // Before the sum, so that the angles are in flight while the lanes add.
  LoadAngles<Rules> angles[kWhole ? 1 : kHeadLoads];
  if constexpr (kWhole) {
    Rules::load_angles(row, lane * kHeadLoad, kNumbers / 2, angles[0].cos, angles[0].sin);
  } else {
    SIMT_UNROLL
    for (int k = 0; k < kHeadLoads; ++k)
      angles[k].load(row, (k * kLanes + lane) * kHeadLoad - (Rules::kLast ? kNumbers - a.rotary : 0), a.rotary);
  }

  Part part(words);
  const float own = part.squares(), sum = simt::lane_reduce<kWarp, kLanes>(own, [](float x, float y) { return x + y; });
  part.template normalize<Rules>(Rules::factor(Rules::sum_of_head(sum, own, index), 1.0f / kNumbers, a.eps), Part(weights));
  if constexpr (kWhole) {
    SIMT_UNROLL
    for (int i = 0; i < kHeadLoad; ++i) rotate_pair<Rules>(part.at[0][i], part.at[1][i], angles[0].cos[i], angles[0].sin[i]);
  } else {
    SIMT_UNROLL
    for (int k = 0; k < kHeadLoads; ++k) {
      float others[kHeadLoad];
      if (Rules::kNeox) Rules::template load_partners<kWarp>(part, k, a.rotary / 2 / kHeadLoad, angles[k].rotates, others);
      if (angles[k].rotates) angles[k].rotate(part.at[k], others);
    }
  }
  T* const out = a.out + token * a.out_pitch + int64_t{head} * kNumbers;
  if (live) {
    part.store(out, lane);
  } else if (writes && Rules::clears_padding()) {
    Part({}).store(out, lane);  // heads beyond those of q
  }
}

template <class Rules, class T, class Cache, int kWarp, int kLanes, bool kWhole>
SIMT_KERNEL void norm_rope_heads(HeadArguments<T, Cache> a) {
  const auto index = uint32_t(simt::block()) * uint32_t(simt::block_size() / kLanes) + uint32_t(simt::thread() / kLanes);
  norm_rope_head<Rules, T, Cache, kWarp, kLanes, kWhole>(a, index);
}

}  // namespace assay_kernels
