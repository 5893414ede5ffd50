// The cache of one given scale: sixteen numbers a thread, those of kv_c and then those of k_pe.
#pragma once

#include "kernels/ops/catalogue.h"
#include "kernels/ops/concat_and_cache_mla/rules.h"
#include "kernels/ops/quant_group/lane_words.h"

namespace assay_kernels {

inline constexpr int kGivenCacheThreads = 576, kGivenCacheLanes = (kLatent + kRotated) / 16;

template <class T>
struct GivenCacheArguments {
  const T *latent, *rotated;
  const float* scale;
  PagedCache cache;
};

template <class Rules, class T>
SIMT_KERNEL void concat_and_cache_given(GivenCacheArguments<T> a) {
  const int64_t token = simt::block() * (kGivenCacheThreads / kGivenCacheLanes) + simt::thread() / kGivenCacheLanes;
  const int lane = simt::thread() % kGivenCacheLanes;
  if (token >= a.cache.tokens) return;
  const bool is_latent = lane < kLatent / 16;
  LaneWords<2> x;
  x.load(is_latent ? a.latent + token * kLatent + lane * 16 : a.rotated + token * kRotated + (lane - kLatent / 16) * 16);
  const int64_t slot = a.cache.slots[token];
  if (slot < 0) return;
  const typename Rules::Codes codes_of(*a.scale);
  uint8_t* const to = a.cache.block_of(slot) + a.cache.in_block(slot) * Rules::kTokenBytes + lane * 16;
  simt::store16(reinterpret_cast<uint32_t*>(to), codes_of_lane<T>(x, codes_of));
}

template <class Rules>
void run_concat_and_cache_given(const Call& call) {
  const assay_tensor &latent = call.input("kv_c"), &rotated = call.input("k_pe"), &scale = call.input("scale");
  const int64_t rows = rows_of(latent, kLatent);
  if (rows_of(rotated, kRotated) != rows) failed("k_pe must have the rows of kv_c");
  if (!has_type(rotated, latent.type_code, latent.type_bits)) unsupported("k_pe must have the type of kv_c");
  if (!has_type(scale, ASSAY_FLOAT, 32) || scale.bytes < 4) unsupported("scale must be fp32");
  const PagedCache cache = paged_cache(call, rows, Rules::kTokenBytes);
  constexpr int kTokens = kGivenCacheThreads / kGivenCacheLanes;
  const simt::Launch grid = call.grid((cache.tokens + kTokens - 1) / kTokens, kGivenCacheThreads);
  with_half_type(latent, [&](auto type) {
    using T = decltype(type);
    const GivenCacheArguments<T> a{data_of<T>(latent), data_of<T>(rotated), data_of<float>(scale), cache};
    simt::launch(concat_and_cache_given<Rules, T>, grid, a);
  });
}

}  // namespace assay_kernels
