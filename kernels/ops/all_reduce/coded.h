// Two shots of coded numbers: every rank codes its own, owners decode, add in T from +0 and code the sums, and all decode
// these, the owner too.
#pragma once

#include "kernels/ops/all_reduce/barrier.h"
#include "kernels/ops/all_reduce/codecs.h"
#include "kernels/ops/all_reduce/two_shot.h"

namespace assay_kernels {

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

}  // namespace assay_kernels
