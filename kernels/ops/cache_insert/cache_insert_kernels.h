// Kernels that write into paged caches: concat_and_cache_mla, reshape_and_cache_flash and indexer_k_quant_and_cache.
#pragma once

#include "kernels/ops/call.h"
#include "kernels/ops/kernel_common.h"
#include "kernels/ops/quant_group/quant_group_rules.h"

namespace assay_kernels {

// A paged cache as kernels see it, and the checks of a call.

/// A paged cache, and the slot of each token. A slot is block index * tokens per block + index in the block; a negative slot means none.
struct PagedCache {
  uint8_t* data;
  int64_t block_stride;  ///< distance between blocks in bytes; 64-bit, because a cache may exceed 2^31 bytes
  Divider by_block;      ///< divides by the tokens per block
  const int64_t* slots;
  int64_t places;  ///< number of token slots in all blocks
  int64_t tokens;  ///< entries of slot_mapping; the input tensors may have more rows

  SIMT_DEVICE int64_t block_size() const { return int64_t{by_block.divisor}; }
  SIMT_DEVICE uint8_t* block_of(int64_t slot) const { return data + int64_t{by_block.quotient(uint32_t(slot))} * block_stride; }
  /// The index of a token within its block.
  SIMT_DEVICE int64_t in_block(int64_t slot) const {
    return slot - int64_t{by_block.quotient(uint32_t(slot))} * block_size();
  }
};

/// The rows of an input tensor; `pitch` is the distance from one row to the next, in elements.
template <class T>
struct TokenRows {
  const T* data;
  int64_t pitch;

  explicit TokenRows(const assay_tensor& x) : data(data_of<T>(x)), pitch(x.strides[0]) {}
  SIMT_DEVICE const T* of(int64_t token) const { return data + token * pitch; }
};

/// Where a contract reads rows and stores tokens. Deliberately wrong kernels replace one of these functions.
struct PagedRules {
  template <class T>
  SIMT_DEVICE static const T* row(const TokenRows<T>& rows, int64_t token, int /*columns*/) {
    return rows.of(token);
  }
  static constexpr bool kDropsNan = true;  ///< true: the maximum ignores NaN, because widest() is max_number()
  SIMT_DEVICE static float widest(float a, float b) { return simt::max_number(a, b); }
  SIMT_DEVICE static bool is_stored(int64_t slot) { return slot >= 0; }
  SIMT_DEVICE static int64_t place_of(const PagedCache& /*cache*/, int64_t slot) { return slot; }
  SIMT_DEVICE static uint8_t* block_of(const PagedCache& cache, int64_t slot, int /*token_bytes*/) {
    return cache.block_of(slot);
  }
};

/// `token_bytes`: bytes that a token takes in its block. Rejects invalid tensors, and a cache whose blocks are too small.
inline PagedCache paged_cache(const Call& call, int64_t rows, int64_t token_bytes) {
  const assay_tensor &cache = call.output("kv_cache"), &slots = call.input("slot_mapping");
  if (!has_type(cache, ASSAY_UINT, 8)) unsupported("kv_cache must be uint8");
  if (!has_type(slots, ASSAY_INT, 64) || slots.ndim != 1) unsupported("slot_mapping must be a vector of int64");
  if (slots.shape[0] > rows) failed("slot_mapping has more elements than the inputs have rows");
  expect_aligned(cache);
  const auto block_size = int64_t(call.number("block_size"));
  if (block_size < 1) failed("block_size must be positive");
  if (cache.ndim != 2 || cache.strides[1] != 1)
    unsupported("kv_cache must have the shape [blocks, bytes of a block], each block contiguous");
  expect_matrix(cache, {cache.shape[0], cache.shape[1]});
  if (cache.shape[1] < block_size * token_bytes) failed("a block of kv_cache is shorter than block_size tokens");
  if (cache.strides[0] % 16 != 0) unsupported("blocks of kv_cache must begin at multiples of 16 bytes");
  const int64_t places = cache.shape[0] * block_size;
  if (places > 0x7fffffff) unsupported("kv_cache must have at most 2^31 - 1 token slots");
  return {static_cast<uint8_t*>(cache.data), cache.strides[0], Divider::by(uint32_t(block_size)), data_of<int64_t>(slots), places,
          slots.shape[0]};
}

/// Number of rows of an input. Rejects inputs without `columns` columns, or whose rows do not begin at multiples of 16 bytes.
inline int64_t rows_of(const assay_tensor& x, int64_t columns) {
  const Shape shape = matrix_of_rows(x);
  if (shape.columns != columns) unsupported(named(x) + " must have " + std::to_string(columns) + " columns");
  expect_aligned(x);
  if (shape.rows > 1 && x.strides[0] * x.type_bits / 8 % 16 != 0)
    unsupported(std::string("rows of ") + x.role + " must begin at multiples of 16 bytes");
  return shape.rows;
}

// Layouts of the MLA caches.
// Source: vLLM csrc/libtorch_stable/cache_kernels.cu v0.30.0 and v0.31.0, concat_and_cache_mla_kernel and
// concat_and_cache_ds_mla_kernel.

inline constexpr int kLatent = 512, kRotated = 64;  ///< latent and rotated elements per token
inline constexpr int kTile = 128;                   ///< elements that share a scale

/// A token's record in the cache: 512 codes, four fp32 scales (one per 128 codes), and 64 rotated elements of 16 bits.
struct VllmFp8DsMla : PagedRules {
  static constexpr const char* kContract = "vllm.fp8_ds_mla";
  using Codes = CodesOfQuotients<E4m3fnSat>;
  static constexpr int kTokenBytes = 656;
  static constexpr int kLanes = 8;        ///< adjacent lanes, of 16 elements each, that share a scale
  static constexpr int kStoredLanes = 8;  ///< lanes per stored scale

  SIMT_DEVICE static int64_t codes_at(int64_t p) { return p * kTokenBytes; }
  SIMT_DEVICE static int64_t scales_at(int64_t p) { return p * kTokenBytes + kLatent; }
  SIMT_DEVICE static int64_t rotated_at(int64_t p) { return p * kTokenBytes + kLatent + 16; }
  SIMT_DEVICE static float scale(float amax) { return simt::max_number(amax / 448.0f, 0x1p-126f); }
};

struct VllmFp8DsMlaFnuz : VllmFp8DsMla {
  static constexpr const char* kContract = "vllm.fp8_ds_mla_fnuz";
  using Codes = CodesOfQuotients<E4m3fnuzSat>;
  SIMT_DEVICE static float scale(float amax) { return simt::max_number(amax / 224.0f, 0x1p-126f); }
};

/// v0.31.0: scales are powers of two.
struct VllmFp8DsMlaV0310 : VllmFp8DsMla {
  static constexpr const char* kContract = "vllm.fp8_ds_mla@v0.31.0";
  SIMT_DEVICE static float scale(float amax) {
    return simt::exp2(simt::ceil(simt::log2(simt::max_number(amax / 448.0f, 1e-4f))));
  }
};

struct VllmFp8DsMlaFnuzV0310 : VllmFp8DsMlaFnuz {
  static constexpr const char* kContract = "vllm.fp8_ds_mla_fnuz@v0.31.0";
  SIMT_DEVICE static float scale(float amax) {
    return simt::exp2(simt::ceil(simt::log2(simt::max_number(amax / 224.0f, 1e-4f))));
  }
};

/// A token's record in the cache: 576 codes. All tokens share one scale, which is an input.
struct VllmMlaFp8 {
  static constexpr const char* kContract = "vllm.mla_fp8";
  using Codes = CodesOfQuotients<E4m3fnSat>;
  static constexpr int kTokenBytes = kLatent + kRotated;
};

// Kernel for contracts whose scale is an input. A token has 36 lanes of 16 elements each: lanes 0-31 store kv_c, lanes 32-35 store k_pe.

inline constexpr int kGivenCacheThreads = 576, kGivenCacheLanes = (kLatent + kRotated) / 16;

template <class T>
struct GivenCacheArguments {
  TokenRows<T> latent, rotated;
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
  x.load(is_latent ? a.latent.of(token) + lane * 16 : a.rotated.of(token) + (lane - kLatent / 16) * 16);
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
  if (rows_of(rotated, kRotated) != rows) failed("k_pe must have as many rows as kv_c");
  if (!has_type(rotated, latent.type_code, latent.type_bits)) unsupported("k_pe must have the type of kv_c");
  if (!has_type(scale, ASSAY_FLOAT, 32) || scale.bytes < 4) unsupported("scale must be fp32");
  const PagedCache cache = paged_cache(call, rows, Rules::kTokenBytes);
  if (cache.tokens == 0) return;
  constexpr int kTokens = kGivenCacheThreads / kGivenCacheLanes;
  const simt::Launch grid = call.grid((cache.tokens + kTokens - 1) / kTokens, kGivenCacheThreads);
  with_half_type(latent, [&](auto type) {
    using T = decltype(type);
    const GivenCacheArguments<T> a{TokenRows<T>(latent), TokenRows<T>(rotated), data_of<float>(scale), cache};
    simt::launch(concat_and_cache_given<Rules, T>, grid, a);
  });
}

// Kernel for contracts that compute scales. A token has 32 lanes of 16 elements of kv_c each. Eight of these lanes also copy k_pe.

inline constexpr int kTileThreads = 128, kTokenLanes = kLatent / 16;

template <class T>
struct TileArguments {
  TokenRows<T> latent, rotated;
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
  if (is_row) {  // loads the row before the slot has arrived, so that the two loads overlap
    x.load(Rules::row(a.latent, token, kLatent) + lane * 16);
    if (lane < kCopies) rotated = simt::load16(reinterpret_cast<const uint32_t*>(Rules::row(a.rotated, token, kRotated)) + lane * 4);
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
  if (rows_of(rotated, kRotated) != rows) failed("k_pe must have as many rows as kv_c");
  if (!has_type(rotated, latent.type_code, latent.type_bits)) unsupported("k_pe must have the type of kv_c");
  const PagedCache cache = paged_cache(call, rows, Rules::kTokenBytes);
  if (cache.tokens == 0) return;
  constexpr int kTokens = kTileThreads / kTokenLanes;
  const simt::Launch grid = call.grid((cache.tokens + kTokens - 1) / kTokens, kTileThreads);
  with_half_type(latent, [&](auto type) {
    using T = decltype(type);
    const TileArguments<T> a{TokenRows<T>(latent), TokenRows<T>(rotated), cache};
    with_warp(call, [&](auto warp) { simt::launch(concat_and_cache_tiles<Rules, T, decltype(warp)::value>, grid, a); });
  });
}

// Layout of the attention cache.
// Source: vLLM v0.33.0 csrc/cache_kernels.cu, reshape_and_cache_flash_kernel.

inline constexpr int kHeads = 8, kHeadSize = 128;         ///< number of heads, and elements per head: the same for K and V
inline constexpr int kHeadsNumbers = kHeads * kHeadSize;  ///< elements per token in each of K and V

/// A block of the cache holds the K codes of all its tokens, then their V codes. K has one scale, V another; both scales are inputs.
struct VllmFlashFp8 : PagedRules {
  static constexpr const char* kContract = "vllm.flash_fp8";
  using Codes = CodesOfQuotients<E4m3fnSat>;
  static constexpr int kTokenBytes = 2 * kHeadsNumbers;

  /// A token's row of K or of V.
  template <class T>
  SIMT_DEVICE static const T* half(const TokenRows<T>& key, const TokenRows<T>& value, bool is_value, int64_t token) {
    return (is_value ? value : key).of(token);
  }
  SIMT_DEVICE static int64_t head_at(int64_t p, int64_t /*block_size*/, int head) { return p * kHeadsNumbers + head * kHeadSize; }
  SIMT_DEVICE static float scale(const float* of_k, const float* of_v, bool is_value, int /*head*/) {
    return *(is_value ? of_v : of_k);
  }
};

/// One scale per head of K, and one per head of V.
struct VllmFlashFp8Heads : VllmFlashFp8 {
  static constexpr const char* kContract = "vllm.flash_fp8_heads";
  SIMT_DEVICE static float scale(const float* of_k, const float* of_v, bool is_value, int head) {
    return (is_value ? of_v : of_k)[head];
  }
};

/// HND order: a block holds, head by head, the codes of all its tokens.
template <class Scales>
struct WithHeadsFirst : Scales {
  SIMT_DEVICE static int64_t head_at(int64_t p, int64_t block_size, int head) { return (head * block_size + p) * kHeadSize; }
};
struct VllmFlashFp8Hnd : WithHeadsFirst<VllmFlashFp8> {
  static constexpr const char* kContract = "vllm.flash_fp8_hnd";
};
struct VllmFlashFp8HndHeads : WithHeadsFirst<VllmFlashFp8Heads> {
  static constexpr const char* kContract = "vllm.flash_fp8_hnd_heads";
};

// Kernel: 128 lanes per token, 16 elements per lane. Lanes 0-63 of a token store K, the other 64 store V.

inline constexpr int kFlashThreads = 256, kFlashLanes = 2 * kHeadsNumbers / 16;

template <class T>
struct FlashArguments {
  TokenRows<T> key, value;
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
  x.load(Rules::half(a.key, a.value, is_value, token) + number);
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
    unsupported("k_scale and v_scale must be fp32 vectors of " + std::to_string(numbers) + " elements");
  return data_of<float>(scale);
}

template <class Rules, int kScales>
void run_reshape_and_cache_flash(const Call& call) {
  const assay_tensor &key = call.input("key"), &value = call.input("value");
  const int64_t rows = rows_of(key, kHeadsNumbers);
  if (rows_of(value, kHeadsNumbers) != rows) failed("value must have as many rows as key");
  if (!has_type(value, key.type_code, key.type_bits)) unsupported("value must have the type of key");
  const float *k_scale = head_scales(call.input("k_scale"), kScales), *v_scale = head_scales(call.input("v_scale"), kScales);
  const PagedCache cache = paged_cache(call, rows, Rules::kTokenBytes);
  if (cache.tokens == 0) return;
  constexpr int kTokens = kFlashThreads / kFlashLanes;
  const simt::Launch grid = call.grid((cache.tokens + kTokens - 1) / kTokens, kFlashThreads);
  with_half_type(key, [&](auto type) {
    using T = decltype(type);
    const FlashArguments<T> a{TokenRows<T>(key), TokenRows<T>(value), k_scale, v_scale, cache};
    simt::launch(reshape_and_cache_flash<Rules, T>, grid, a);
  });
}

// Layout of the cache of an indexer's keys.
// Source: vLLM csrc/libtorch_stable/cache_kernels.cu 00eb0c87, indexer_k_quant_and_cache_kernel.

inline constexpr int kKey = 128;  ///< elements of a key, which share a scale

/// A block of the cache holds the codes of all its keys, then one fp32 scale per key.
struct VllmIndexerK : PagedRules {
  static constexpr const char* kContract = "vllm.indexer_k";
  using Codes = CodesOfQuotients<E4m3fnSat>;
  static constexpr float kMost = 448.0f, kLeastAmax = 1e-4f;
  static constexpr int kTokenBytes = kKey + 4;
  template <class T>
  using Magnitude = T;  ///< type in which amax is computed

  SIMT_DEVICE static int64_t codes_at(int64_t p) { return p * kKey; }
  SIMT_DEVICE static int64_t scales_at(int64_t p, int64_t block_size) { return block_size * kKey + p * 4; }
  SIMT_DEVICE static float stored(float scale) { return scale; }
  SIMT_DEVICE static uint32_t word_of(float scale) { return simt::bits(scale); }  ///< the bits that the cache stores for a scale
  SIMT_DEVICE static void store(uint32_t* to, const simt::Vector<uint32_t>& codes) { simt::store16(to, codes); }
};

/// scale_fmt "ue8m0": rounds the scale up to a power of two.
struct VllmIndexerKUe8m0 : VllmIndexerK {
  static constexpr const char* kContract = "vllm.indexer_k_ue8m0";
  SIMT_DEVICE static float stored(float scale) { return simt::from_bits((simt::bits(scale) + 0x7fffffu) & 0xff800000u); }
};

/// scale_fmt "mxfp8": each 32 of a key's 128 elements have a scale byte. All four bytes hold the same exponent.
/// Source: vLLM v0.33.0, csrc/cache_kernels.cu, use_mx_scale.
struct VllmIndexerKMx : VllmIndexerKUe8m0 {
  static constexpr const char* kContract = "vllm.indexer_k_mx";
  SIMT_DEVICE static uint32_t word_of(float scale) { return (simt::bits(scale) >> 23 & 0xffu) * 0x01010101u; }
};

struct VllmIndexerKFnuz : VllmIndexerK {
  static constexpr const char* kContract = "vllm.indexer_k_fnuz";
  using Codes = CodesOfQuotients<E4m3fnuzSat>;
  static constexpr float kMost = 224.0f;
};

struct VllmIndexerKUe8m0Fnuz : VllmIndexerKUe8m0 {
  static constexpr const char* kContract = "vllm.indexer_k_ue8m0_fnuz";
  using Codes = CodesOfQuotients<E4m3fnuzSat>;
  static constexpr float kMost = 224.0f;
};

// Kernel: eight lanes per key, 16 elements per lane.

inline constexpr int kKeyThreads = 128, kKeyLanes = kKey / 16;

template <class T>
struct KeyArguments {
  TokenRows<T> k;
  PagedCache cache;
};

template <class Rules, class T, int kWarp>
SIMT_KERNEL void insert_keys(KeyArguments<T> a) {
  const int64_t token = simt::block() * (kKeyThreads / kKeyLanes) + simt::thread() / kKeyLanes;
  const int lane = simt::thread() % kKeyLanes;
  const bool is_row = token < a.cache.tokens;
  LaneWords<2> x{};
  // loads the key before its slot has arrived, even if it is not stored, so that the two loads overlap
  if (is_row) x.load(Rules::row(a.k, token, kKey) + lane * 16);
  const int64_t mapped = is_row ? a.cache.slots[token] : -1;
  const float amax = widest_of_lanes<Rules, typename Rules::template Magnitude<T>, kWarp, kKeyLanes>(x);
  if (!is_row || !Rules::is_stored(mapped)) return;
  const float scale = Rules::stored(simt::max_number(amax, Rules::kLeastAmax) / Rules::kMost);
  const int64_t slot = Rules::place_of(a.cache, mapped), p = a.cache.in_block(slot);
  uint8_t* const block = Rules::block_of(a.cache, slot, Rules::kTokenBytes);
  const typename Rules::Codes codes_of(scale);
  Rules::store(reinterpret_cast<uint32_t*>(block + Rules::codes_at(p) + lane * 16), codes_of_lane<T>(x, codes_of));
  if (lane == 0) *reinterpret_cast<uint32_t*>(block + Rules::scales_at(p, a.cache.block_size())) = Rules::word_of(scale);
}

template <class Rules>
void run_indexer_k_quant_and_cache(const Call& call) {
  const assay_tensor& k = call.input("k");
  const int64_t rows = rows_of(k, kKey);
  const PagedCache cache = paged_cache(call, rows, Rules::kTokenBytes);
  if (cache.tokens != rows) failed("slot_mapping must have one element for each row of k");
  if (cache.tokens == 0) return;
  constexpr int kTokens = kKeyThreads / kKeyLanes;
  const simt::Launch grid = call.grid((cache.tokens + kTokens - 1) / kTokens, kKeyThreads);
  with_half_type(k, [&](auto type) {
    using T = decltype(type);
    const KeyArguments<T> a{TokenRows<T>(k), cache};
    with_warp(call, [&](auto warp) { simt::launch(insert_keys<Rules, T, decltype(warp)::value>, grid, a); });
  });
}

}  // namespace assay_kernels
