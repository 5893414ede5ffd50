// The cache with scales of its own: 32 lanes a token, 16 numbers a lane; eight of them copy the rotated numbers.
#pragma once

#include "kernels/ops/catalogue.h"
#include "kernels/ops/concat_and_cache_mla/rules.h"

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
  const int64_t mapped = token < a.cache.tokens ? a.cache.slots[token] : -1;
  const bool stored = token < a.cache.tokens && Rules::is_stored(mapped);
  simt::Vector<T> x[2] = {};
  simt::Vector<uint32_t> rotated{};
  constexpr int kCopies = kRotated * int(sizeof(T)) / 16;
  if (stored) {
    x[0] = simt::load16(a.latent + token * kLatent + lane * 16);
    x[1] = simt::load16(a.latent + token * kLatent + lane * 16 + 8);
    if (lane < kCopies) rotated = simt::load16(reinterpret_cast<const uint32_t*>(a.rotated + token * kRotated) + lane * 4);
  }
  float v[16], amax = 0;
  SIMT_UNROLL
  for (int i = 0; i < 16; ++i) {
    v[i] = simt::to_float(x[i / 8].at[i % 8]);
    amax = simt::max_number(amax, simt::magnitude(v[i]));
  }
  // Every lane of the warp takes part, those of tokens without a slot too.
  amax = simt::lane_reduce<kWarp, Rules::kLanes>(amax, [](float p, float q) { return simt::max_number(p, q); });
  if (!stored) return;
  const float scale = Rules::scale(amax);
  const typename Rules::Element divide(scale);
  SIMT_UNROLL
  for (float& number : v) number = divide(number);

  const int64_t slot = Rules::place_of(a.cache, mapped);
  uint8_t* const block = Rules::block_of(a.cache, slot, Rules::kTokenBytes);
  const int64_t p = slot % a.cache.block_size;
  simt::Vector<uint32_t> codes;
  SIMT_UNROLL
  for (int i = 0; i < 4; ++i) codes.at[i] = Rules::Code::encode4(v + 4 * i);
  simt::store16(reinterpret_cast<uint32_t*>(block + Rules::codes_at(p) + lane * 16), codes);
  if (lane % Rules::kStoredLanes == 0) reinterpret_cast<float*>(block + Rules::scales_at(p))[lane / Rules::kStoredLanes] = scale;
  if (lane < kCopies) simt::store16(reinterpret_cast<uint32_t*>(block + Rules::rotated_at(p)) + lane * 4, rotated);
}

template <class Rules>
void run_concat_and_cache_tiles(const Call& call) {
  const assay_tensor &latent = call.input("kv_c"), &rotated = call.input("k_pe");
  const int64_t rows = rows_of(latent, kLatent);
  if (rows_of(rotated, kRotated) != rows) wrong("k_pe must have the rows of kv_c");
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
