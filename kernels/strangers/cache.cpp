// Kernels that write paged caches. vllm.fp8_ds_mla@v0.31.0 has four tiles of 128 codes with a scale each, then 64 rotated elements.
// vllm.mla_fp8 has one scale, an input. vllm.indexer_k has keys of 128 elements; after all keys of a block come their scales.
#include "kernels/strangers/numbers.h"

namespace assay_strangers {
namespace {

enum class Slip {
  kNone,
  kSlot16,    // truncates slots to 16 bits
  kSlot8,     // truncates slots to 8 bits
  kSlot15,    // truncates slots to 15 bits
  kSlot32,    // truncates slots to signed 32-bit integers
  kToken256,  // tokens >= 256 use the scales of token - 256
  kPages64,   // treats blocks as having at most 64 tokens
  kMinusOne,  // skips only slot -1; other negative slots count from the end
  kToken32,   // tokens >= 32 use the scales of token - 32
  kToken64,
  kLastOfTile,        // the amax of a tile ignores its last element
  kLastTile,          // the amax of the last tile covers only its first half
  kRopeThroughFloat,  // stores rotated elements through fp32, which changes NaN payloads
  kRopeMinusZero,     // stores rotated -0 as +0
  kPages,             // assumes blocks of 16 tokens
  kFlushes,           // flushes subnormal codes to zero
  kTiesAway,          // rounds ties away from zero
  kFloorBehind,       // applies the lower limit of the scale to amax
  kOverwrites,        // stores every fourth scale as 16 bytes, which overwrites the next three scales
  kOffset32,          // computes offsets of rows in 32 bits
  kRowsDense,         // ignores the row strides of its inputs
  kRopeDense,         // ignores the row stride of k_pe
  kNoToken,           // if there is no token, clears the first 16 bytes of the cache
  kLastPlace,         // does not write the scale of a block's last slot
  kMultiplies,        // multiplies by the reciprocal of the scale instead of dividing
  kOddToken,          // in an odd token, stores the rotated elements of the token before, if both are in one block
};

struct Pages {
  const assay_tensor &cache, &slots;
  int64_t block_size;
  Slip slip;
  explicit Pages(const Call& call, Slip s)
      : cache(call.at("kv_cache")), slots(call.at("slot_mapping")), block_size(call.integer("block_size")), slip(s) {}
  int64_t tokens() const { return slots.shape[0]; }
  int64_t places() const { return cache.shape[0] * block_size; }
  /// Returns the slot of a token, changed by the mistake. If the result is negative, the token is not stored.
  int64_t slot(int64_t token) const {
    const int64_t given = static_cast<const int64_t*>(slots.data)[token];
    if (slip == Slip::kSlot16 && given >= 0) return given & 65535;
    if (slip == Slip::kSlot15 && given >= 0) return given & 32767;
    if (slip == Slip::kSlot32) return int32_t(uint32_t(given));
    if (slip == Slip::kSlot8 && given >= 0) return given & 255;
    if (slip == Slip::kMinusOne && given < -1) return std::max<int64_t>(-1, places() + given);
    return given;
  }
  int64_t width() const { return slip == Slip::kPages ? 16 : slip == Slip::kPages64 ? std::min<int64_t>(64, block_size) : block_size; }
  uint8_t* block(int64_t slot) const { return static_cast<uint8_t*>(cache.data) + slot / width() * cache.strides[0]; }
  int64_t place(int64_t slot) const { return slot % width(); }
};

/// Offset of a token's row, in elements.
int64_t row_at(const assay_tensor& x, int64_t token, Slip slip) {
  if (slip == Slip::kOffset32) return int32_t(uint32_t(row_of(x, token)));
  return slip == Slip::kRowsDense ? token * x.shape[1] : row_of(x, token);
}

/// True if there is no token. With kNoToken, it clears the first 16 bytes of the cache nevertheless.
bool nothing_to_do(const Pages& pages) {
  if (pages.tokens() == 0 && pages.slip == Slip::kNoToken) std::memset(pages.cache.data, 0, 16);
  return pages.tokens() == 0;
}

uint8_t code_of(float v, Slip slip) {
  const uint8_t code = to_e4m3(v, slip == Slip::kTiesAway ? Ties::kAway : Ties::kEven);
  return slip == Slip::kFlushes && (code & 0x7f) < 8 ? code & 0x80 : code;
}

float amax_of(const assay_tensor& x, int64_t begin, int64_t count, Slip slip) {
  float amax = 0;
  for (int64_t c = 0; c < (slip == Slip::kLastOfTile ? count - 1 : count); ++c)
    amax = larger(amax, std::fabs(read(x, begin + c)));
  return amax;
}

int64_t seen(int64_t token, Slip slip) {
  const int64_t rows = slip == Slip::kToken32 ? 32 : slip == Slip::kToken64 ? 64 : slip == Slip::kToken256 ? 256 : token + 1;
  return token >= rows ? token - rows : token;
}

void mla(const Call& call, Slip slip) {
  const assay_tensor &latent = call.at("kv_c"), &rope = call.at("k_pe");
  const Pages pages(call, slip);
  if (nothing_to_do(pages)) return;
  for (int64_t token = 0; token < pages.tokens(); ++token) {
    const int64_t slot = pages.slot(token);
    if (slot < 0) continue;
    uint8_t* const record = pages.block(slot) + pages.place(slot) * 656;
    for (int64_t tile = 0; tile < 4; ++tile) {
      const int64_t of = row_at(latent, seen(token, slip), slip) + 128 * tile;
      const float amax = amax_of(latent, of, slip == Slip::kLastTile && tile == 3 ? 64 : 128, slip);
      const float ratio = slip == Slip::kFloorBehind ? larger(amax, 1e-4f) / 448.0f : larger(amax / 448.0f, 1e-4f);
      const float s = std::isinf(ratio) ? INFINITY : float(std::exp2(std::ceil(std::log2(double(ratio)))));
      std::memcpy(record + 512 + 4 * tile, &s, 4);
      for (int64_t c = 0; c < 128; ++c)
        record[128 * tile + c] = code_of(read(latent, row_at(latent, token, slip) + 128 * tile + c) / s, slip);
    }
    const int64_t slot_before = slip == Slip::kOddToken && token % 2 == 1 ? pages.slot(token - 1) : -1;
    const bool same_block = slot_before >= 0 && pages.block(slot_before) == pages.block(slot);
    const int64_t at = row_at(rope, same_block ? token - 1 : token, slip == Slip::kRopeDense ? Slip::kRowsDense : slip);
    const auto* const from = static_cast<const uint16_t*>(rope.data) + at;
    for (int64_t c = 0; c < 64; ++c) {
      uint16_t bits = from[c];
      if (slip == Slip::kRopeThroughFloat && (bits & 0x7fff) > 0x7f80) bits = 0x7fff;
      if (slip == Slip::kRopeMinusZero && bits == 0x8000) bits = 0;
      std::memcpy(record + 528 + 2 * c, &bits, 2);
    }
  }
}

void given(const Call& call, Slip slip) {
  const assay_tensor &latent = call.at("kv_c"), &rope = call.at("k_pe");
  const float s = *static_cast<const float*>(call.at("scale").data);
  const Pages pages(call, slip);
  if (nothing_to_do(pages)) return;
  for (int64_t token = 0; token < pages.tokens(); ++token) {
    const int64_t slot = pages.slot(token);
    if (slot < 0) continue;
    uint8_t* const record = pages.block(slot) + pages.place(slot) * 576;
    for (int64_t c = 0; c < 512; ++c) {
      const float v = read(latent, row_at(latent, token, slip) + c);
      record[c] = code_of(slip == Slip::kMultiplies ? v * (1.0f / s) : v / s, slip);
    }
    for (int64_t c = 0; c < 64; ++c) record[512 + c] = code_of(read(rope, row_at(rope, token, slip) + c) / s, slip);
  }
}

void indexer(const Call& call, Slip slip) {
  const assay_tensor& keys = call.at("k");
  const Pages pages(call, slip);
  if (nothing_to_do(pages)) return;
  for (int64_t token = 0; token < pages.tokens(); ++token) {
    const int64_t slot = pages.slot(token);
    if (slot < 0) continue;
    uint8_t* const block = pages.block(slot);
    const float s = larger(amax_of(keys, row_at(keys, seen(token, slip), slip), 128, slip), 1e-4f) / 448.0f;
    for (int64_t c = 0; c < 128; ++c) block[pages.place(slot) * 128 + c] = code_of(read(keys, row_at(keys, token, slip) + c) / s, slip);
    if (slip == Slip::kLastPlace && pages.place(slot) == pages.block_size - 1) continue;
    for (int copy = 0; copy < (slip == Slip::kOverwrites && pages.place(slot) % 4 == 0 ? 4 : 1); ++copy)
      std::memcpy(block + 128 * pages.block_size + 4 * (pages.place(slot) + copy), &s, 4);
  }
}

template <auto kRun, Slip kSlip>
Kernel row(const char* name, const char* op, const char* contract) {
  return {name, op, {contract}, {{"x", {"bf16"}}}, {}, with<kRun, kSlip>};
}
template <Slip kSlip>
Kernel latent(const char* name) {
  return row<mla, kSlip>(name, "concat_and_cache_mla", "vllm.fp8_ds_mla@v0.31.0");
}
template <Slip kSlip>
Kernel scaled(const char* name) {
  return row<given, kSlip>(name, "concat_and_cache_mla", "vllm.mla_fp8");
}
template <Slip kSlip>
Kernel keys(const char* name) {
  return row<indexer, kSlip>(name, "indexer_k_quant_and_cache", "vllm.indexer_k");
}

}  // namespace

std::vector<Kernel> cache_kernels() {
  return {
      latent<Slip::kNone>("latent"),
      latent<Slip::kSlot8>("latent_slot_8_bits"),
      latent<Slip::kSlot16>("latent_slot_16_bits"),
      latent<Slip::kMinusOne>("latent_minus_two"),
      latent<Slip::kToken32>("latent_token_32"),
      latent<Slip::kToken64>("latent_token_64"),
      latent<Slip::kLastOfTile>("latent_last_of_tile"),
      latent<Slip::kLastTile>("latent_last_tile"),
      latent<Slip::kRopeThroughFloat>("latent_rope_nan"),
      latent<Slip::kRopeMinusZero>("latent_rope_minus_zero"),
      latent<Slip::kPages>("latent_pages_of_16"),
      latent<Slip::kFlushes>("latent_flushes"),
      latent<Slip::kTiesAway>("latent_ties_away"),
      latent<Slip::kFloorBehind>("latent_floor_of_amax"),
      latent<Slip::kSlot32>("latent_slot_32_bits"),
      latent<Slip::kSlot15>("latent_slot_15_bits"),
      latent<Slip::kToken256>("latent_token_256"),
      latent<Slip::kPages64>("latent_pages_of_64"),
      latent<Slip::kRowsDense>("latent_rows_dense"),
      latent<Slip::kOffset32>("latent_offset_32_bits"),
      latent<Slip::kRopeDense>("latent_rope_dense"),
      latent<Slip::kNoToken>("latent_no_token"),
      latent<Slip::kOddToken>("latent_odd_token"),
      scaled<Slip::kMultiplies>("scaled_multiplies"),
      keys<Slip::kLastPlace>("keys_last_place"),
      scaled<Slip::kRowsDense>("scaled_rows_dense"),
      keys<Slip::kRowsDense>("keys_rows_dense"),
      keys<Slip::kNoToken>("keys_no_token"),
      scaled<Slip::kNone>("scaled"),
      scaled<Slip::kSlot32>("scaled_slot_32_bits"),
      scaled<Slip::kSlot16>("scaled_slot_16_bits"),
      scaled<Slip::kFlushes>("scaled_flushes"),
      scaled<Slip::kTiesAway>("scaled_ties_away"),
      keys<Slip::kNone>("keys"),
      keys<Slip::kSlot16>("keys_slot_16_bits"),
      keys<Slip::kSlot15>("keys_slot_15_bits"),
      keys<Slip::kSlot32>("keys_slot_32_bits"),
      keys<Slip::kToken256>("keys_token_256"),
      keys<Slip::kToken64>("keys_token_64"),
      keys<Slip::kLastOfTile>("keys_last_of_tile"),
      keys<Slip::kOverwrites>("keys_scales_by_four"),
      keys<Slip::kTiesAway>("keys_ties_away"),
  };
}

}  // namespace assay_strangers
