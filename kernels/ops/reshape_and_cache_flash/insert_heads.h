// 128 lanes a token, 16 numbers a lane: those of K and then those of V.
#pragma once

#include "kernels/ops/catalogue.h"
#include "kernels/ops/quant_group/lane_words.h"
#include "kernels/ops/reshape_and_cache_flash/rules.h"

namespace assay_kernels {

inline constexpr int kFlashThreads = 256, kFlashLanes = 2 * kHeadsNumbers / 16;

template <class T>
struct FlashArguments {
  const T *key, *value;
  const float *k_scale, *v_scale;
  PagedCache cache;
};

template <class Rules, class T>
SIMT_KERNEL void reshape_and_cache_flash(FlashArguments<T> a) {
  const int64_t token = simt::block() * (kFlashThreads / kFlashLanes) + simt::thread() / kFlashLanes;
  const int lane = simt::thread() % kFlashLanes, number = lane * 16 % kHeadsNumbers, head = number / kHeadSize;
  if (token >= a.cache.tokens) return;
  const bool is_value = lane >= kFlashLanes / 2;
  LaneWords<2> x;
  x.load((is_value ? a.value : a.key) + token * kHeadsNumbers + number);
  const int64_t mapped = a.cache.slots[token];
  if (!Rules::is_stored(mapped)) return;
  const int64_t slot = Rules::place_of(a.cache, mapped), block_size = a.cache.block_size();
  const typename Rules::Codes codes_of(Rules::scale(a.k_scale, a.v_scale, is_value, head));
  uint8_t* const half = Rules::block_of(a.cache, slot, Rules::kTokenBytes) + (is_value ? block_size * kHeadsNumbers : 0);
  uint8_t* const to = half + Rules::head_at(a.cache.in_block(slot), block_size, head) + number % kHeadSize;
  simt::store16(reinterpret_cast<uint32_t*>(to), codes_of_lane<T>(x, codes_of));
}

inline const float* head_scales(const assay_tensor& scale, int64_t numbers) {
  if (!has_type(scale, ASSAY_FLOAT, 32) || scale.ndim != 1 || scale.shape[0] != numbers)
    unsupported("k_scale and v_scale must be fp32, one or one a head");
  return data_of<float>(scale);
}

template <class Rules, int kScales>
void run_reshape_and_cache_flash(const Call& call) {
  const assay_tensor &key = call.input("key"), &value = call.input("value");
  const int64_t rows = rows_of(key, kHeadsNumbers);
  if (rows_of(value, kHeadsNumbers) != rows) failed("value must have the rows of key");
  if (!has_type(value, key.type_code, key.type_bits)) unsupported("value must have the type of key");
  const float *k_scale = head_scales(call.input("k_scale"), kScales), *v_scale = head_scales(call.input("v_scale"), kScales);
  const PagedCache cache = paged_cache(call, rows, Rules::kTokenBytes);
  constexpr int kTokens = kFlashThreads / kFlashLanes;
  const simt::Launch grid = call.grid((cache.tokens + kTokens - 1) / kTokens, kFlashThreads);
  with_half_type(key, [&](auto type) {
    using T = decltype(type);
    const FlashArguments<T> a{data_of<T>(key), data_of<T>(value), k_scale, v_scale, cache};
    simt::launch(reshape_and_cache_flash<Rules, T>, grid, a);
  });
}

}  // namespace assay_kernels
