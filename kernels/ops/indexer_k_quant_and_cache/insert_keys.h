// Eight lanes a key, 16 numbers a lane.
#pragma once

#include "kernels/ops/catalogue.h"
#include "kernels/ops/indexer_k_quant_and_cache/rules.h"

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
  const int64_t mapped = token < a.cache.tokens ? a.cache.slots[token] : -1;
  const bool stored = token < a.cache.tokens && Rules::is_stored(mapped);
  simt::Vector<T> x[2] = {};
  if (stored) {
    x[0] = simt::load16(a.k + token * kKey + lane * 16);
    x[1] = simt::load16(a.k + token * kKey + lane * 16 + 8);
  }
  float v[16], amax = 0;
  SIMT_UNROLL
  for (int i = 0; i < 16; ++i) {
    v[i] = simt::to_float(x[i / 8].at[i % 8]);
    amax = simt::max_number(amax, simt::magnitude(v[i]));
  }
  // Every lane of the warp takes part, those of tokens without a slot too.
  amax = simt::lane_reduce<kWarp, kKeyLanes>(amax, [](float p, float q) { return simt::max_number(p, q); });
  if (!stored) return;
  const float scale = Rules::stored(simt::max_number(amax, Rules::kLeastAmax) / Rules::kMost);
  const typename Rules::Element divide(scale);
  SIMT_UNROLL
  for (float& number : v) number = divide(number);

  const int64_t slot = Rules::place_of(a.cache, mapped), p = slot % a.cache.block_size;
  uint8_t* const block = Rules::block_of(a.cache, slot, Rules::kTokenBytes);
  simt::Vector<uint32_t> codes;
  SIMT_UNROLL
  for (int i = 0; i < 4; ++i) codes.at[i] = Rules::Code::encode4(v + 4 * i);
  Rules::store(reinterpret_cast<uint32_t*>(block + Rules::codes_at(p) + lane * 16), codes);
  if (lane == 0) *reinterpret_cast<float*>(block + Rules::scales_at(p, a.cache.block_size)) = scale;
}

template <class Rules>
void run_indexer_k_quant_and_cache(const Call& call) {
  const assay_tensor& k = call.input("k");
  const int64_t rows = rows_of(k, kKey);
  const PagedCache cache = paged_cache(call, rows, Rules::kTokenBytes);
  if (cache.tokens != rows) wrong("slot_mapping must have the rows of k");
  constexpr int kTokens = kKeyThreads / kKeyLanes;
  const simt::Launch grid = call.grid((cache.tokens + kTokens - 1) / kTokens, kKeyThreads);
  with_half_type(k, [&](auto type) {
    using T = decltype(type);
    const KeyArguments<T> a{data_of<T>(k), cache};
    with_warp(call, [&](auto warp) { simt::launch(insert_keys<Rules, T, decltype(warp)::value>, grid, a); });
  });
}

}  // namespace assay_kernels
