// Eight lanes a key, 16 numbers a lane.
#pragma once

#include "kernels/ops/catalogue.h"
#include "kernels/ops/indexer_k_quant_and_cache/rules.h"
#include "kernels/ops/quant_group/lane_words.h"

namespace assay_kernels {

inline constexpr int kKeyThreads = 128, kKeyLanes = kKey / 16;

template <class T>
struct KeyArguments {
  const T* k;
  PagedCache cache;
};

template <class Rules, class T, int kWarp>
SIMT_KERNEL void insert_keys(KeyArguments<T> a) {
  const int64_t token = simt::block() * (kKeyThreads / kKeyLanes) + simt::thread() / kKeyLanes;
  const int lane = simt::thread() % kKeyLanes;
  const bool is_row = token < a.cache.tokens;
  LaneWords<2> x{};
  if (is_row) x.load(a.k + token * kKey + lane * 16);  // whether or not it is stored: its slot is in flight too
  const int64_t mapped = is_row ? a.cache.slots[token] : -1;
  const float amax = widest_of_lanes<Rules, typename Rules::template Magnitude<T>, kWarp, kKeyLanes>(x);
  if (!is_row || !Rules::is_stored(mapped)) return;
  const float scale = Rules::stored(simt::max_number(amax, Rules::kLeastAmax) / Rules::kMost);
  const int64_t slot = Rules::place_of(a.cache, mapped), p = a.cache.in_block(slot);
  uint8_t* const block = Rules::block_of(a.cache, slot, Rules::kTokenBytes);
  const typename Rules::Codes codes_of(scale);
  Rules::store(reinterpret_cast<uint32_t*>(block + Rules::codes_at(p) + lane * 16), codes_of_lane<T>(x, codes_of));
  if (lane == 0) *reinterpret_cast<float*>(block + Rules::scales_at(p, a.cache.block_size())) = scale;
}

template <class Rules>
void run_indexer_k_quant_and_cache(const Call& call) {
  const assay_tensor& k = call.input("k");
  const int64_t rows = rows_of(k, kKey);
  const PagedCache cache = paged_cache(call, rows, Rules::kTokenBytes);
  if (cache.tokens != rows) failed("slot_mapping must have the rows of k");
  constexpr int kTokens = kKeyThreads / kKeyLanes;
  const simt::Launch grid = call.grid((cache.tokens + kTokens - 1) / kTokens, kKeyThreads);
  with_half_type(k, [&](auto type) {
    using T = decltype(type);
    const KeyArguments<T> a{data_of<T>(k), cache};
    with_warp(call, [&](auto warp) { simt::launch(insert_keys<Rules, T, decltype(warp)::value>, grid, a); });
  });
}

}  // namespace assay_kernels
