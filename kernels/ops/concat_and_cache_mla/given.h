// The cache of one given scale: eight numbers a thread, those of kv_c and then those of k_pe.
#pragma once

#include "kernels/ops/catalogue.h"
#include "kernels/ops/concat_and_cache_mla/rules.h"

namespace assay_kernels {

inline constexpr int kGivenCacheThreads = 576, kGivenCacheLanes = (kLatent + kRotated) / 8;

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
  const int64_t slot = token < a.cache.tokens ? a.cache.slots[token] : -1;
  if (slot < 0) return;
  const bool is_latent = lane < kLatent / 8;
  const simt::Vector<T> x = simt::load16(is_latent ? a.latent + token * kLatent + lane * 8
                                                   : a.rotated + token * kRotated + (lane - kLatent / 8) * 8);
  const typename Rules::Element divide(*a.scale);
  float v[8];
  SIMT_UNROLL
  for (int i = 0; i < 8; ++i) v[i] = divide(simt::to_float(x.at[i]));
  uint8_t* const to = a.cache.block_of(slot) + slot % a.cache.block_size * Rules::kTokenBytes + lane * 8;
  simt::store8(to, Rules::Code::encode4(v), Rules::Code::encode4(v + 4));
}

template <class Rules>
void run_concat_and_cache_given(const Call& call) {
  const assay_tensor &latent = call.input("kv_c"), &rotated = call.input("k_pe"), &scale = call.input("scale");
  const int64_t rows = rows_of(latent, kLatent);
  if (rows_of(rotated, kRotated) != rows) wrong("k_pe must have the rows of kv_c");
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
