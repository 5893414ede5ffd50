// Faulty kernels that write into paged caches or rotate heads: each derives from correct rules and replaces a few lines.
#pragma once

#include <cmath>

#include "kernels/ops/cache_insert/cache_insert_kernels.h"
#include "kernels/ops/cache_insert/dsv4_kv_insert_kernel.h"
#include "kernels/ops/call.h"
#include "kernels/ops/qk_norm_rope/qk_norm_rope_kernel.h"

namespace assay_kernels {

// A mistake: multiplies by 1 / s before rounding to a code; the op divides by s.

struct TimesReciprocal {
  float inverse;
  explicit TimesReciprocal(float s) : inverse(1.0f / s) {}
  float operator()(float x) const { return x * inverse; }
};

// Paged caches.

/// Writes a row with slot -1 to the last slot, as index -1 in Python means the last element.
template <class Twin = VllmFp8DsMla>
struct CacheSlotMinusOne : Twin {
  static bool is_stored(int64_t) { return true; }
  static int64_t place_of(const PagedCache& cache, int64_t slot) { return slot < 0 ? cache.places - 1 : slot; }
};

/// Assumes that blocks follow each other without padding, whatever their stride.
template <class Twin = VllmFp8DsMla>
struct CacheBlocksDense : Twin {
  static uint8_t* block_of(const PagedCache& cache, int64_t slot, int token_bytes) {
    return cache.data + slot / cache.block_size() * (cache.block_size() * token_bytes);
  }
};

/// Assumes that the rows of kv_c and k_pe are contiguous, whatever their stride.
struct CacheRowsDense : VllmFp8DsMla {
  template <class T>
  static const T* row(const TokenRows<T>& rows, int64_t token, int columns) {
    return rows.data + token * columns;
  }
};

/// Stores the scales after the rotated elements; in the correct layout, the scales come before these.
struct CacheScalesLast : VllmFp8DsMla {
  static int64_t scales_at(int64_t p) { return p * kTokenBytes + 640; }
  static int64_t rotated_at(int64_t p) { return p * kTokenBytes + 512; }
};

/// Uses one scale for two tiles; each tile should have its own scale.
struct CacheTilesMerged : VllmFp8DsMla {
  static constexpr int kLanes = 16;
  static constexpr int kStoredLanes = 8;
};

struct CacheReciprocal : VllmFp8DsMla {
  using Codes = CodesByStep<E4m3fnSat, TimesReciprocal>;
};

struct CacheScaleFloorMissing : VllmFp8DsMla {
  static float scale(float amax) { return amax / 448.0f; }
};

/// Rounds scales to powers of two, as a later release does.
struct CachePowerOfTwo : VllmFp8DsMla {
  static float scale(float amax) { return VllmFp8DsMlaV0310::scale(amax); }
};

/// Divides by 448, the range of e4m3fn, on a GPU that uses e4m3fnuz.
struct Cache448For224 : VllmFp8DsMlaFnuz {
  static float scale(float amax) { return simt::max_number(amax / 448.0f, 0x1p-126f); }
};

// The attention cache.

/// Casts without dividing by the scale.
struct FlashScaleIgnored : VllmFlashFp8 {
  static float scale(const float*, const float*, bool, int) { return 1; }
};

/// Exchanges the scales of K and V.
struct FlashScalesExchanged : VllmFlashFp8 {
  static float scale(const float* of_k, const float* of_v, bool is_value, int head) {
    return VllmFlashFp8::scale(of_v, of_k, is_value, head);
  }
};

struct FlashFirstHeadScale : VllmFlashFp8Heads {
  static float scale(const float* of_k, const float* of_v, bool is_value, int) { return *(is_value ? of_v : of_k); }
};

/// Always uses NHD order, even if the cache has HND order.
struct FlashHndAsNhd : VllmFlashFp8Hnd {
  static int64_t head_at(int64_t p, int64_t block_size, int head) { return VllmFlashFp8::head_at(p, block_size, head); }
};

/// Reads the rows of V with the row stride of K.
struct FlashValueByKey : VllmFlashFp8 {
  template <class T>
  static const T* half(const TokenRows<T>& key, const TokenRows<T>& value, bool is_value, int64_t token) {
    return (is_value ? value : key).data + token * key.pitch;
  }
};

struct FlashReciprocal : VllmFlashFp8 {
  using Codes = CodesByStep<E4m3fnSat, TimesReciprocal>;
};

/// Writes a row with slot -1 to the last slot, as index -1 in Python means the last element.
struct FlashSlotMinusOne : VllmFlashFp8 {
  static bool is_stored(int64_t) { return true; }
  static int64_t place_of(const PagedCache& cache, int64_t slot) { return slot < 0 ? cache.places - 1 : slot; }
};

// The cache of an indexer's keys.

/// Stores each key with its scale in one 132-byte record; the correct layout stores the scales after all keys of a block.
struct IndexerTokenByToken : VllmIndexerK {
  static int64_t codes_at(int64_t p) { return p * 132; }
  static int64_t scales_at(int64_t p, int64_t /*block_size*/) { return p * 132 + 128; }
  static void store(uint32_t* to, const simt::Vector<uint32_t>& codes) {
    for (const uint32_t word : codes.at) *to++ = word;
  }
};

/// Ignores scale_fmt: does not round the scale to a power of two.
struct IndexerFormatIgnored : VllmIndexerKUe8m0 {
  static float stored(float scale) { return scale; }
};

struct IndexerFloorForCeil : VllmIndexerKUe8m0 {
  static float stored(float scale) { return simt::from_bits(simt::bits(scale) & 0xff800000u); }
};

struct IndexerMxFloorForCeil : VllmIndexerKMx {
  static float stored(float scale) { return simt::from_bits(simt::bits(scale) & 0xff800000u); }
};

struct IndexerFloorMissing : VllmIndexerK {
  static constexpr float kLeastAmax = 0;
};

struct IndexerReciprocal : VllmIndexerK {
  using Codes = CacheReciprocal::Codes;
};

/// Reinterprets a 16-bit float as an unsigned integer.
struct Fp16AsInteger {
  uint16_t bits;
};
SIMT_DEVICE float to_float(Fp16AsInteger v) { return float(v.bits); }
SIMT_DEVICE void from_floats(float low, float high, Fp16AsInteger& a, Fp16AsInteger& b) {
  a.bits = uint16_t(low), b.bits = uint16_t(high);
}

/// Computes amax from bit patterns, read as integers. The codes are computed from the floats.
struct IndexerAmaxOfIntegers : VllmIndexerK {
  template <class T>
  using Magnitude = Fp16AsInteger;
};

/// Divides by 448, the range of e4m3fn, on a GPU that uses e4m3fnuz.
struct Indexer448For224 : VllmIndexerKUe8m0Fnuz {
  static constexpr float kMost = 448.0f;
};

// Norm and rotary embedding of heads.

/// Shuffles with a full mask inside a branch that only rotating lanes take.
struct DivergentShuffle : VllmFusedQkNormRopeNeox {
  template <int kWarp, class Part>
  static void load_partners(const Part& part, int load, int lanes_apart, bool rotates, float (&others)[kHeadLoad]) {
    if (rotates) HeadRules::load_partners<kWarp>(part, load, lanes_apart, rotates, others);
  }
};

/// The effect of the divergent shuffle on a GPU whose warps handle several heads. From the second head of a warp on, shuffles of
/// different heads mix, and a part of the head's sum is lost.
struct HeadsAfterTheFirst : VllmFusedQkNormRopeNeox {
  static float sum_of_head(float sum, float own, uint32_t index) { return index % 4 == 0 ? sum : sum - own; }
};

/// Assumes that the elements of a pair are half a head apart, even if only a part of the head is rotated.
struct HalfAHeadApart : VllmFusedQkNormRopeNeox {
  template <int kWarp, class Part>
  static void load_partners(const Part& part, int load, int /*lanes_apart*/, bool /*rotates*/, float (&others)[kHeadLoad]) {
    for (int i = 0; i < kHeadLoad; ++i) others[i] = part.at[1 - load][i];  // the two loads of a lane are half a head apart
  }
};

/// Negates the sine for the second element of a pair; the contract negates it for the first.
template <class Base = VllmFusedQkNormRopeNeox>
struct SignOnTheWrongHalf : Base {
  static float rotated(float own, float other, bool is_second, float c, float s) {
    return is_second ? own * c - other * s : own * c + other * s;
  }
};

struct InterleavedForNeox : VllmFusedQkNormRopeNeox {
  static constexpr bool kNeox = false;
};

struct NeoxForInterleaved : VllmFusedQkNormRopeInterleaved {
  static constexpr bool kNeox = true;
};

/// Assumes that positions count from 1; they count from 0.
struct PositionOffByOne : VllmFusedQkNormRopeInterleaved {
  static int64_t position(int64_t position, int64_t /*token*/) { return position > 0 ? position - 1 : 0; }
};

/// Uses the token's index as its position. This is right only for one sequence that starts at position 0.
template <class Base = VllmFusedQkNormRopeNeox>
struct PositionsIgnored : Base {
  static int64_t position(int64_t /*position*/, int64_t token) { return token; }
};

struct CacheRowsInterleaved : VllmFusedQkNormRopeNeox {
  template <class Cache, int kAngles>
  static void load_angles(const Cache* row, int pair, int /*pairs*/, float (&cos)[kAngles], float (&sin)[kAngles]) {
    for (int i = 0; i < kAngles; ++i)
      cos[i] = simt::to_float(row[2 * (pair + i)]), sin[i] = simt::to_float(row[2 * (pair + i) + 1]);
  }
};

struct RoundedBeforeRope : VllmFusedQkNormRopeNeox {
  static constexpr bool kRoundsNorm = true;
};

/// Fuses two ops and leaves out the rounding between them.
struct NotRoundedBeforeRope : VllmQkNormThenRopeInterleaved {
  static constexpr bool kRoundsNorm = false;
};

struct KWeightForQ : VllmFusedQkNormRopeInterleaved {
  static bool takes_q_weight(bool /*of_q*/) { return false; }
};

struct VRotatedToo : VllmFusedQkNormRopeNeox {
  static constexpr bool kRotatesV = true;
};

/// Does not clear the padding heads of the output.
struct PaddedHeadsStale : VllmDeepseekV4QNormRope {
  static bool clears_padding() { return false; }
};

/// Rotates the first elements of a head; the contract rotates the last ones.
struct FirstForLast : VllmDeepseekV4QNormRope {
  static constexpr bool kLast = false;
};

// The DeepSeek-V4 cache.

/// Places the scales of tokens 7 bytes apart, without the eighth byte of a token, which is padding.
struct Dsv4ScalesApartBy7 : VllmDsv4Kv {
  static int64_t scales_at(int64_t p, int64_t block_size) { return block_size * kTokenBytes + p * 7; }
  static int64_t pad_at(int64_t p, int64_t block_size) { return block_size * (kTokenBytes + 7) + p; }
};

/// Stores each token as one 584-byte record; the correct layout stores the scales after all tokens of a block.
struct Dsv4TokenByToken : VllmDsv4Kv {
  static int64_t codes_at(int64_t p) { return p * 584; }
  static int64_t rotated_at(int64_t p) { return p * 584 + 448; }
  static int64_t scales_at(int64_t p, int64_t /*block_size*/) { return p * 584 + 576; }
  static int64_t pad_at(int64_t p, int64_t /*block_size*/) { return p * 584 + 583; }
  static void store(uint32_t* to, const simt::Vector<uint32_t>& v) {
    for (const uint32_t word : v.at) *to++ = word;
  }
};

struct Dsv4PadStale : VllmDsv4Kv {
  static constexpr bool kPads = false;
};

/// DeepSeek-V4.1: stores the scales after all tokens of a block, where DeepSeek-V4 has them.
struct Dsv41ScalesLast : VllmDsv41Kv {
  static int64_t codes_at(int64_t p) { return p * 512; }
  static int64_t scales_at(int64_t p, int64_t block_size) { return block_size * 512 + p * 16; }
};

template <class Base = VllmDsv4Kv>
struct Dsv4FloorForCeil : Base {
  static uint32_t exponent(float v) { return simt::bits(v) >> 23; }
};

/// Has no lower limit for the scale: for a group of zeros, it computes 0 / 0 and stores NaN.
struct Dsv4FloorMissing : VllmDsv4Kv {
  static constexpr float kLeastAmax = 0;
  static float reciprocal(uint32_t byte) { return byte == 0 ? HUGE_VALF : VllmDsv4Kv::reciprocal(byte); }
};

/// Divides by 224, the range for gfx942, on a GPU with e4m3fn.
struct Dsv4Range224 : VllmDsv4Kv {
  static constexpr float kMost = 224.0f;
};

/// Uses one scale for two groups; each group should have its own scale.
struct Dsv4GroupsMerged : VllmDsv4Kv {
  static constexpr int kLanes = 8;
};

template <class Base = VllmDsv4Kv>
struct Dsv4Unrotated : Base {
  static float even(float e, float /*o*/, float /*c*/, float /*s*/) { return e; }
  static float odd(float /*e*/, float o, float /*c*/, float /*s*/) { return o; }
};

/// Truncates the rotated elements instead of rounding them.
struct Dsv4RotatedCutOff : VllmDsv4Kv {
  template <class T>
  static uint32_t round(float even, float odd) {
    return simt::bits(even) >> 16 | (simt::bits(odd) & 0xffff0000u);
  }
};

struct Dsv4PositionsIgnored : VllmDsv4Kv {
  static int64_t position(int64_t /*position*/, int64_t token) { return token; }
};

// Norms that are fused with writing the DeepSeek-V4 cache, and the kernel that writes both heads and records.

struct Dsv4VarianceIgnored : VllmDsv4KvNorm {
  static float factor(float /*sum*/, float /*share*/, float eps) { return simt::rsqrt(eps); }
};

struct Dsv4EpsOutside : VllmDsv4KvNorm {
  static float factor(float sum, float share, float eps) { return 1.0f / (std::sqrt(sum * share) + eps); }
};

/// Multiplies by the weight after rounding to 16 bits. The contract rounds only once, after the multiplication.
template <class Base = VllmDsv4KvNorm>
struct Dsv4RoundedBeforeWeight : Base {
  template <class T>
  static float normalized(float x, float r, float weight) {
    return simt::to_float(simt::from_float<T>(x * r)) * weight;
  }
};

/// Uses the norm without weight on KV; that norm is meant for Q.
struct Dsv4WeightLeftOut : VllmDsv4KvNorm {
  template <class T>
  static float normalized(float x, float r, float /*weight*/) {
    return x * r;
  }
};

/// Assumes that rows are 512 elements apart, whatever their stride.
struct Dsv4RowsDense : VllmDsv4KvNorm {
  static int64_t row(int64_t token, int64_t /*pitch*/) { return token * kHead; }
};

/// Does not write the heads of a token whose slot is -1; the contract writes them.
struct Dsv4NoHeadsWithoutSlot : VllmDsv4Both {
  static bool rotates(const PagedCache& cache, int64_t token) { return token < cache.tokens && cache.slots[token] >= 0; }
};

/// Takes the number of tokens from slot_mapping, which is shorter than the padded batch, and does not write the heads after it.
struct Dsv4HeadsEndWithSlots : VllmDsv4Both {
  static bool rotates(const PagedCache& cache, int64_t token) { return token < cache.tokens; }
};

/// Rounds the normalized heads of Q to 16 bits before rotating them.
struct Dsv4HeadsRoundedBeforeRope : VllmDsv4Both {
  struct Heads : VllmDeepseekV4QNormRope {
    static constexpr bool kRoundsNorm = true;
  };
};

struct Dsv4HeadsStale : VllmDsv4Both {
  using Heads = PaddedHeadsStale;
};

/// Uses the token's index as its position. This is right only for one sequence that starts at position 0.
struct Dsv4BothPositionsIgnored : VllmDsv4Both {
  using Heads = PositionsIgnored<VllmDeepseekV4QNormRope>;
  using Insert = Dsv4PositionsIgnored;
};

/// Leaves the elements of kv unrotated in the cache, as if a second store wrote the unrotated elements.
struct Dsv4BothKvUnrotated : VllmDsv4Both {
  using Insert = Dsv4Unrotated<>;
};

// Rows of the kernel table for faulty kernels for paged caches, and functions that launch these kernels.

/// `op` is also the name of the correct kernel.
template <class Rules>
Kernel of_caches(const char* op, void (*run)(const Call&), const char* name, const char* cites, const Values& x = kHalf) {
  return {name, op, {Rules::kContract}, {{"x", x}, {"warp", simt::kWarpSizes}}, {}, run, name, cites, op};
}

}  // namespace assay_kernels
