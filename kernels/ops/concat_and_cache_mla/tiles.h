// The cache with scales of its own: 32 lanes a token, 16 numbers a lane; eight of them copy the rotated numbers.
#pragma once

#include "kernels/ops/catalogue.h"
#include "kernels/ops/concat_and_cache_mla/rules.h"
#include "kernels/ops/quant_group/lane_words.h"

namespace assay_kernels {

inline constexpr int kTileThreads = 128, kTokenLanes = kLatent / 16;

template <class T>
struct TileArguments {
  const T *latent, *rotated;
  PagedCache cache;
};

template <class Rules, class T, int kWarp>
SIMT_KERNEL void concat_and_cache_tiles(TileArguments<T> a) {
  const int64_t token = simt::block() * (kTileThreads / kTokenLanes) + simt::thread() / kTokenLanes;
  const int lane = simt::thread() % kTokenLanes;
  constexpr int kCopies = kRotated * int(sizeof(T)) / 16;
  const bool is_row = token < a.cache.tokens;
  LaneWords<2> x{};
  simt::Vector<uint32_t> rotated{};
  if (is_row) {  // whether the token is stored is not known yet: its slot is in flight with its numbers
    x.load(a.latent + token * kLatent + lane * 16);
    if (lane < kCopies) rotated = simt::load16(reinterpret_cast<const uint32_t*>(a.rotated + token * kRotated) + lane * 4);
  }
  const int64_t mapped = is_row ? a.cache.slots[token] : -1;
  const float amax = widest_of_lanes<Rules, T, kWarp, Rules::kLanes>(x);
  if (!is_row || !Rules::is_stored(mapped)) return;
  const float scale = Rules::scale(amax);
  const int64_t slot = Rules::place_of(a.cache, mapped), p = a.cache.in_block(slot);
  uint8_t* const block = Rules::block_of(a.cache, slot, Rules::kTokenBytes);
  const typename Rules::Codes codes_of(scale);
  simt::store16(reinterpret_cast<uint32_t*>(block + Rules::codes_at(p) + lane * 16), codes_of_lane<T>(x, codes_of));
  if (lane % Rules::kStoredLanes == 0) reinterpret_cast<float*>(block + Rules::scales_at(p))[lane / Rules::kStoredLanes] = scale;
  if (lane < kCopies) simt::store16(reinterpret_cast<uint32_t*>(block + Rules::rotated_at(p)) + lane * 4, rotated);
}

template <class Rules>
void run_concat_and_cache_tiles(const Call& call) {
  const assay_tensor &latent = call.input("kv_c"), &rotated = call.input("k_pe");
  const int64_t rows = rows_of(latent, kLatent);
  if (rows_of(rotated, kRotated) != rows) failed("k_pe must have the rows of kv_c");
  if (!has_type(rotated, latent.type_code, latent.type_bits)) unsupported("k_pe must have the type of kv_c");
  const PagedCache cache = paged_cache(call, rows, Rules::kTokenBytes);
  constexpr int kTokens = kTileThreads / kTokenLanes;
  const simt::Launch grid = call.grid((cache.tokens + kTokens - 1) / kTokens, kTileThreads);
  with_half_type(latent, [&](auto type) {
    using T = decltype(type);
    const TileArguments<T> a{data_of<T>(latent), data_of<T>(rotated), cache};
    with_warp(call, [&](auto warp) { simt::launch(concat_and_cache_tiles<Rules, T, decltype(warp)::value>, grid, a); });
  });
}

}  // namespace assay_kernels
