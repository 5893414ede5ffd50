// A paged cache as kernels see it, and what a call must say of it.
#pragma once

#include "kernels/ops/dispatch.h"
#include "kernels/ops/quant_group/scales_out.h"

namespace assay_kernels {

/// Where tokens go. Offsets are 64-bit: a cache has more than 2^31 bytes.
struct PagedCache {
  uint8_t* data;
  int64_t block_stride;  ///< bytes
  Divider by_block;      ///< tokens of a block
  const int64_t* slots;
  int64_t places;  ///< of tokens in all blocks
  int64_t tokens;  ///< that have a slot; the inputs may have more rows

  SIMT_DEVICE int64_t block_size() const { return int64_t{by_block.divisor}; }
  SIMT_DEVICE uint8_t* block_of(int64_t slot) const { return data + int64_t{by_block.quotient(uint32_t(slot))} * block_stride; }
  /// Of a slot: the token's number in its block.
  SIMT_DEVICE int64_t in_block(int64_t slot) const {
    return slot - int64_t{by_block.quotient(uint32_t(slot))} * block_size();
  }
};

/// Where the rows of a contract go: a rule of its own, for faults to change.
struct PagedRules {
  static constexpr bool kDropsNan = true;  ///< widest() is max_number()
  SIMT_DEVICE static float widest(float a, float b) { return simt::max_number(a, b); }
  SIMT_DEVICE static bool is_stored(int64_t slot) { return slot >= 0; }
  SIMT_DEVICE static int64_t place_of(const PagedCache& /*cache*/, int64_t slot) { return slot; }
  SIMT_DEVICE static uint8_t* block_of(const PagedCache& cache, int64_t slot, int /*token_bytes*/) {
    return cache.block_of(slot);
  }
};

/// `token_bytes`: that a token takes in its block. Refuses a cache that cannot hold it.
inline PagedCache paged_cache(const Call& call, int64_t rows, int64_t token_bytes) {
  const assay_tensor &cache = call.output("kv_cache"), &slots = call.input("slot_mapping");
  if (!has_type(cache, ASSAY_UINT, 8)) unsupported("kv_cache must be bytes");
  if (!has_type(slots, ASSAY_INT, 64) || slots.ndim != 1) unsupported("slot_mapping must be a vector of int64");
  if (slots.shape[0] > rows) failed("slot_mapping has more rows than the inputs");
  expect_aligned(cache);
  const auto block_size = int64_t(call.number("block_size"));
  if (block_size < 1) failed("block_size must be positive");
  if (cache.ndim != 2 || cache.strides[1] != 1) unsupported("kv_cache must be blocks of bytes");
  expect_matrix(cache, {cache.shape[0], cache.shape[1]});
  if (cache.shape[1] < block_size * token_bytes) failed("a block of kv_cache is shorter than its tokens");
  if (cache.strides[0] % 16 != 0) unsupported("blocks of kv_cache must begin at multiples of 16 bytes");
  const int64_t places = cache.shape[0] * block_size;
  if (places > 0x7fffffff) unsupported("more than 2^31 - 1 places of tokens");
  return {static_cast<uint8_t*>(cache.data), cache.strides[0], Divider::by(uint32_t(block_size)), data_of<int64_t>(slots), places,
          slots.shape[0]};
}

/// Rows of an input of that many columns, dense and aligned.
inline int64_t rows_of(const assay_tensor& x, int64_t columns) {
  const Shape shape = dense_matrix(x);
  if (shape.columns != columns) unsupported("rows of " + std::to_string(columns) + " numbers only");
  expect_aligned(x);
  return shape.rows;
}

}  // namespace assay_kernels
