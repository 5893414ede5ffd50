// Kernels that write into the DeepSeek-V4 cache. dsv4_kv_insert writes only the cache; dsv4_qnorm_kv_insert also writes the heads of Q.
#pragma once

#include "kernels/ops/cache_insert/cache_insert_kernels.h"
#include "kernels/ops/call.h"
#include "kernels/ops/qk_norm_rope/qk_norm_rope_kernel.h"
#include "kernels/ops/quant_group/quant_group_rules.h"

namespace assay_kernels {

// Layout of the DeepSeek-V4 cache.
// Source: vLLM csrc/libtorch_stable/fused_deepseek_v4_qnorm_rope_kv_insert_kernel.cu 00ce99f0.

/// A token's record in the cache: 448 codes in groups of 64, and 64 rotated elements of 16 bits. The records of all tokens of a
/// block come first, then eight bytes per token: seven exponents of scales, and a zero byte.
struct VllmDsv4Kv : PagedRules {
  static constexpr const char* kContract = "vllm.deepseek_v4_kv_insert";
  using Code = E4m3fnSat;
  static constexpr float kMost = 448.0f, kLeastAmax = 1e-4f;
  static constexpr int kTokenBytes = 576, kScaleBytes = 8;
  static constexpr int kLanes = 4;  ///< adjacent lanes, of 16 elements each, that share a scale
  static constexpr bool kPads = true;  ///< true: writes the zero byte after the seven exponents
  static constexpr bool kNorm = false;
  static constexpr bool kCodesRotated = false;  ///< true: the rotated elements are quantized too

  SIMT_DEVICE static int64_t codes_at(int64_t p) { return p * kTokenBytes; }
  SIMT_DEVICE static int64_t rotated_at(int64_t p) { return p * kTokenBytes + 448; }
  SIMT_DEVICE static int64_t scales_at(int64_t p, int64_t block_size) { return block_size * kTokenBytes + p * kScaleBytes; }
  SIMT_DEVICE static int64_t pad_at(int64_t p, int64_t block_size) { return scales_at(p, block_size) + 7; }

  /// Offset of a token's row in elements.
  SIMT_DEVICE static int64_t row(int64_t token, int64_t pitch) { return token * pitch; }
  SIMT_DEVICE static int64_t position(int64_t position, int64_t /*token*/) { return position; }
  SIMT_DEVICE static float even(float e, float o, float c, float s) { return e * c - o * s; }
  SIMT_DEVICE static float odd(float e, float o, float c, float s) { return e * s + o * c; }
  /// Rounds two adjacent elements to T and packs them into a 32-bit word.
  template <class T>
  SIMT_DEVICE static uint32_t round(float even, float odd) {
    return simt::pair_from_floats<T>(even, odd);
  }
  SIMT_DEVICE static void store(uint32_t* to, const simt::Vector<uint32_t>& v) { simt::store16(to, v); }
  /// Exponent byte of the smallest power of two that is at least v; v must be normal or Inf.
  SIMT_DEVICE static uint32_t exponent(float v) {
    const uint32_t b = simt::bits(v);
    return (b >> 23) + ((b & 0x7fffffu) != 0 ? 1u : 0u);
  }
  /// 1 / 2^(byte - 127); 0 for byte 255, which is Inf. Byte 254 does not occur: a finite amax / kMost is below 2^121.
  SIMT_DEVICE static float reciprocal(uint32_t byte) { return byte >= 254u ? 0.0f : simt::from_bits((254u - byte) << 23); }
};

struct VllmDsv4KvFnuz : VllmDsv4Kv {
  static constexpr const char* kContract = "vllm.deepseek_v4_kv_insert_fnuz";
  using Code = E4m3fnuzSat;
  static constexpr float kMost = 224.0f;
};

/// DeepSeek-V4.1: a token's record is 512 codes in groups of 32, then 16 scale bytes, one per group.
/// Source: vLLM v0.33.0, the same file, kv_mxfp8.
struct VllmDsv41Kv : VllmDsv4Kv {
  static constexpr const char* kContract = "vllm.deepseek_v41_kv_insert";
  static constexpr int kTokenBytes = 528, kScaleBytes = 0, kLanes = 2;
  static constexpr bool kPads = false, kCodesRotated = true;

  SIMT_DEVICE static int64_t codes_at(int64_t p) { return p * kTokenBytes; }
  SIMT_DEVICE static int64_t scales_at(int64_t p, int64_t /*block_size*/) { return p * kTokenBytes + 512; }
};

/// Normalizes the row (RMS norm) before it is inserted. `share`: 1 / 512, the reciprocal of the number of elements.
template <class Insert>
struct Normed : Insert {
  static constexpr bool kNorm = true;
  SIMT_DEVICE static float factor(float sum, float share, float eps) { return simt::rsqrt(sum * share + eps); }
  template <class T>
  SIMT_DEVICE static float normalized(float x, float r, float weight) {
    return x * r * weight;
  }
};

struct VllmDsv4KvNorm : Normed<VllmDsv4Kv> {
  static constexpr const char* kContract = "vllm.deepseek_v4_kv_norm_insert";
};

struct VllmDsv4KvNormFnuz : Normed<VllmDsv4KvFnuz> {
  static constexpr const char* kContract = "vllm.deepseek_v4_kv_norm_insert_fnuz";
};

template <class Rules>
struct ProductThenClamp {
  float factor;
  SIMT_DEVICE explicit ProductThenClamp(float m) : factor(m) {}
  SIMT_DEVICE float operator()(float v) const {
    return simt::min_number(simt::max_number(v * factor, -Rules::kMost), Rules::kMost);
  }
};

/// Converts v * factor to codes. The cast to e4m3fn saturates at 448, so ProductThenClamp's clamp to 448 changes only NaN.
template <class Rules>
using CodesOfCache =
    std::conditional_t<std::is_same_v<typename Rules::Code, E4m3fnSat> && Rules::kMost == 448.0f,
                       CodesByProduct<ProductThenClamp<Rules>>, CodesByStep<typename Rules::Code, ProductThenClamp<Rules>>>;

// Kernel: 32 lanes per token. 28 lanes quantize 16 elements each, and every lane rotates one pair of the last 64 elements.

inline constexpr int kInsertThreads = 128, kInsertLanes = 32, kHead = 512, kTurned = 64;
inline constexpr int kCodingLanes = (kHead - kTurned) / 16;

template <class T>
struct InsertArguments {
  const T* kv;
  const float* angles;       ///< 32 cosines and 32 sines per position
  const int64_t* positions;  ///< position of each token: the index of its row in angles
  PagedCache cache;
  int64_t pitch;    ///< distance between rows of kv, in elements
  const T* weight;  ///< weights of the norm
  float eps;
};

/// What a lane loads of a row of 512 elements: 16 elements to quantize (x), and one of the 32 pairs to rotate (pair). With one
/// pair per lane, no lane loops over eight pairs. The 16 elements of lanes 28 to 31 are among the rotated ones. These lanes load x
/// only if a norm needs the elements for its sum of squares, or if the rotated elements are quantized too.
struct LaneOfRow {
  LaneWords<2> x{};
  uint32_t pair = 0;

  /// `all`: also loads x in the lanes 28 to 31, whose 16 elements are among the rotated ones.
  template <class T>
  SIMT_DEVICE void load(const T* row, int lane, bool all) {
    if (all || lane < kCodingLanes) x.load(row + lane * 16);
    pair = reinterpret_cast<const uint32_t*>(row + kHead - kTurned)[lane];
  }
};

struct LoadedToken {
  LaneOfRow own{};
  int64_t mapped = -1, position = 0;
  bool is_row = false;

  template <class Rules, class T>
  SIMT_DEVICE void load(const InsertArguments<T>& a, int64_t token, int lane) {
    is_row = token < a.cache.tokens;
    if (!is_row) return;
    // loads the row before its slot has arrived, even if it is not stored, so that the loads overlap
    own.load(a.kv + Rules::row(token, a.pitch), lane, Rules::kNorm || Rules::kCodesRotated);
    mapped = a.cache.slots[token];
    position = Rules::position(a.positions[token], token);
  }
};

/// Normalizes and rounds two elements, which `pair` holds in one word; `weights` holds their weights, `r` is the row's factor.
template <class Rules, class T>
SIMT_DEVICE uint32_t normalized(uint32_t pair, uint32_t weights, float r) {
  float v[2], w[2];
  simt::pair_to_floats<T>(pair, v[0], v[1]);
  simt::pair_to_floats<T>(weights, w[0], w[1]);
  return simt::pair_from_floats<T>(Rules::template normalized<T>(v[0], r, w[0]), Rules::template normalized<T>(v[1], r, w[1]));
}

/// Normalizes the lane's elements by the RMS of the token's 512 elements. All lanes of a warp must call it, because it shuffles.
template <class Rules, class T, int kWarp>
SIMT_DEVICE LaneOfRow normalized(const LaneOfRow& own, const LaneOfRow& weights, float eps) {
  float v[16], squares = 0.0f, others = 0.0f;  // two partial sums, of eight terms each
  own.x.widen_to<T>(v);
  SIMT_UNROLL
  for (int i = 0; i < 16; i += 2) squares = simt::fma(v[i], v[i], squares), others = simt::fma(v[i + 1], v[i + 1], others);
  const float sum = simt::lane_reduce<kWarp, kInsertLanes>(squares + others, [](float a, float b) { return a + b; });
  const float r = Rules::factor(sum, 1.0f / kHead, eps);
  LaneOfRow y;
  SIMT_UNROLL
  for (int i = 0; i < 8; ++i) y.x.at[i / 4].at[i % 4] = normalized<Rules, T>(own.x.pair(i), weights.x.pair(i), r);
  y.pair = normalized<Rules, T>(own.pair, weights.pair, r);
  return y;
}

/// Rotates the eight pairs in x, in a lane whose elements are among the last 64.
template <class Rules, class T>
SIMT_DEVICE void rotate_pairs(LaneWords<2>& x, const float* angles, int lane) {
  SIMT_UNROLL
  for (int i = 0; i < 8; ++i) {
    const int pair = (lane - kCodingLanes) * 8 + i;
    const float cos = angles[pair], sin = angles[kTurned / 2 + pair];
    float e, o;
    simt::pair_to_floats<T>(x.pair(i), e, o);
    x.at[i / 4].at[i % 4] = Rules::template round<T>(Rules::even(e, o, cos, sin), Rules::odd(e, o, cos, sin));
  }
}

/// Rotates the last 64 elements of a token, then quantizes all 512 and stores codes and scales.
template <class Rules, class T, int kWarp>
SIMT_DEVICE void insert_codes(const InsertArguments<T>& a, const LoadedToken& token, int lane) {
  const bool stored = token.is_row && Rules::is_stored(token.mapped);
  LaneWords<2> x = token.own.x;
  if (stored && lane >= kCodingLanes) rotate_pairs<Rules, T>(x, a.angles + token.position * kTurned, lane);
  const float amax = widest_of_lanes<Rules, T, kWarp, Rules::kLanes>(x);
  if (!stored) return;
  const int64_t slot = Rules::place_of(a.cache, token.mapped), p = a.cache.in_block(slot);
  uint8_t* const block = Rules::block_of(a.cache, slot, Rules::kTokenBytes + Rules::kScaleBytes);
  const uint32_t byte = Rules::exponent(simt::max_number(amax, Rules::kLeastAmax) / Rules::kMost);
  const CodesOfCache<Rules> codes_of(Rules::reciprocal(byte));
  Rules::store(reinterpret_cast<uint32_t*>(block + Rules::codes_at(p) + lane * 16), codes_of_lane<T>(x, codes_of));
  if (lane % Rules::kLanes == 0) block[Rules::scales_at(p, a.cache.block_size()) + lane / Rules::kLanes] = uint8_t(byte);
}

/// Stores a token whose last 64 elements stay 16-bit. Only contracts with a norm use `weights`. All lanes of a warp must call it.
template <class Rules, class T, int kWarp>
SIMT_DEVICE void insert_token(const InsertArguments<T>& a, const LoadedToken& token, int lane, const LaneOfRow& weights = {}) {
  const bool stored = token.is_row && Rules::is_stored(token.mapped);
  float cos = 0.0f, sin = 0.0f;
  if (stored) {
    const float* const angles = a.angles + token.position * kTurned;
    cos = angles[lane], sin = angles[kTurned / 2 + lane];
  }
  LaneOfRow own = token.own;
  if constexpr (Rules::kNorm) own = normalized<Rules, T, kWarp>(own, weights, a.eps);
  const float amax = widest_of_lanes<Rules, T, kWarp, Rules::kLanes>(own.x);
  if (!stored) return;
  const int64_t slot = Rules::place_of(a.cache, token.mapped), p = a.cache.in_block(slot);
  uint8_t* const block = Rules::block_of(a.cache, slot, Rules::kTokenBytes + Rules::kScaleBytes);
  float e, o;
  simt::pair_to_floats<T>(own.pair, e, o);
  reinterpret_cast<uint32_t*>(block + Rules::rotated_at(p))[lane] =
      Rules::template round<T>(Rules::even(e, o, cos, sin), Rules::odd(e, o, cos, sin));
  if (lane == kCodingLanes && Rules::kPads) block[Rules::pad_at(p, a.cache.block_size())] = 0;
  if (lane >= kCodingLanes) return;
  const uint32_t byte = Rules::exponent(simt::max_number(amax, Rules::kLeastAmax) / Rules::kMost);
  const CodesOfCache<Rules> codes_of(Rules::reciprocal(byte));
  Rules::store(reinterpret_cast<uint32_t*>(block + Rules::codes_at(p) + lane * 16), codes_of_lane<T>(own.x, codes_of));
  if (lane % 4 == 0) block[Rules::scales_at(p, a.cache.block_size()) + lane / 4] = uint8_t(byte);
}

template <class Rules, class T, int kWarp>
SIMT_KERNEL void dsv4_kv_insert(InsertArguments<T> a) {
  const int64_t first = simt::block() * (kInsertThreads / kInsertLanes) + simt::thread() / kInsertLanes;
  const int lane = simt::thread() % kInsertLanes;
  LaneOfRow weights;
  if (Rules::kNorm) weights.load(a.weight, lane, true);
  LoadedToken token;
  token.template load<Rules>(a, first, lane);
  if constexpr (Rules::kCodesRotated)
    insert_codes<Rules, T, kWarp>(a, token, lane);
  else
    insert_token<Rules, T, kWarp>(a, token, lane, weights);
}

/// The checked arguments of an insertion.
struct InsertCall {
  /// `token_bytes`: bytes that a token takes in its block. `norm`: true if the call has weights and eps.
  InsertCall(const Call& call, int64_t token_bytes, bool norm = false)
      : kv(call.input("kv")), angles(call.input("cos_sin_cache")), positions(call.input("positions")) {
    const Shape shape = matrix_of_rows(kv);
    rows = shape.rows;
    if (shape.columns != kHead) unsupported("kv must have " + std::to_string(kHead) + " columns");
    expect_aligned(kv);
    if (kv.strides[0] % 8 != 0) unsupported("rows of kv must begin at multiples of 16 bytes");
    if (norm) {
      weight = &call.input("norm_weight"), eps = float(call.number("eps"));
      expect_vector(*weight, kHead, kv);
      expect_aligned(*weight);
    }
    if (!has_type(angles, ASSAY_FLOAT, 32)) unsupported("cos_sin_cache must be fp32");
    const Shape of_angles = dense_matrix(angles);
    if (of_angles.columns != kTurned || of_angles.rows < 1) failed("cos_sin_cache must have " + std::to_string(kTurned) + " columns");
    expect_aligned(angles);
    if (!has_type(positions, ASSAY_INT, 64) || positions.ndim != 1 || positions.shape[0] != rows)
      unsupported("positions must be a vector of int64, one for each row of kv");
    cache = paged_cache(call, rows, token_bytes);
  }

  template <class T>
  InsertArguments<T> arguments() const {
    return {data_of<T>(kv),
            data_of<float>(angles),
            data_of<int64_t>(positions),
            cache,
            kv.strides[0],
            weight ? data_of<T>(*weight) : nullptr,
            eps};
  }
  /// Number of blocks with kInsertThreads each.
  int64_t blocks() const {
    constexpr int kTokens = kInsertThreads / kInsertLanes;
    return (cache.tokens + kTokens - 1) / kTokens;
  }

  const assay_tensor &kv, &angles, &positions;
  const assay_tensor* weight = nullptr;
  PagedCache cache{};
  int64_t rows = 0;
  float eps = 0;
};

template <class Rules>
void run_dsv4_kv_insert(const Call& call) {
  const InsertCall insert(call, Rules::kTokenBytes + Rules::kScaleBytes, Rules::kNorm);
  if (insert.cache.tokens == 0) return;
  const simt::Launch grid = call.grid(insert.blocks(), kInsertThreads);
  with_half_type(insert.kv, [&](auto type) {
    using T = decltype(type);
    const InsertArguments<T> a = insert.arguments<T>();
    with_warp(call, [&](auto warp) { simt::launch(dsv4_kv_insert<Rules, T, decltype(warp)::value>, grid, a); });
  });
}

// Writes the heads of Q and inserts each token into the cache, in one launch. A thread block does one of the two, so no warp does
// both. The inserting blocks have the lowest indices and start first, because they wait longer for memory.

static_assert(kHeadThreads == kInsertThreads && kHead == kInsertLanes * kHeadLoads * kHeadLoad,
              "both kinds of blocks must have the same size");

/// Source: vLLM csrc/libtorch_stable/fused_deepseek_v4_qnorm_rope_kv_insert_kernel.cu (00ce99f0).
struct VllmDsv4Both {
  static constexpr const char* kContract = "vllm.deepseek_v4_qnorm_kv_insert";
  using Heads = VllmDeepseekV4QNormRope;
  using Insert = VllmDsv4Kv;
  /// True if the heads of a token are written: always, even if the token has no slot.
  SIMT_DEVICE static bool rotates(const PagedCache& /*cache*/, int64_t /*token*/) { return true; }
};

struct VllmDsv4BothFnuz : VllmDsv4Both {
  static constexpr const char* kContract = "vllm.deepseek_v4_qnorm_kv_insert_fnuz";
  using Insert = VllmDsv4KvFnuz;
};

template <class Rules, class T, int kWarp>
SIMT_KERNEL void dsv4_qnorm_kv_insert(HeadArguments<T, float> heads, InsertArguments<T> insert, int32_t insert_blocks) {
  constexpr int kEach = kInsertThreads / kInsertLanes;  // tokens or heads per block
  const auto block = int32_t(simt::block());
  const int of_block = simt::thread() / kInsertLanes, lane = simt::thread() % kInsertLanes;
  if (block < insert_blocks) {
    LoadedToken token;
    token.template load<typename Rules::Insert>(insert, int64_t{block} * kEach + of_block, lane);
    insert_token<typename Rules::Insert, T, kWarp>(insert, token, lane);
  } else {
    uint32_t index = uint32_t(block - insert_blocks) * kEach + of_block;
    if (!Rules::rotates(insert.cache, heads.by_heads.quotient(index))) index = heads.count;
    norm_rope_head<typename Rules::Heads, T, float, kWarp, kInsertLanes, false>(heads, index);
  }
}

template <class Rules>
void run_dsv4_qnorm_kv_insert(const Call& call) {
  const HeadCall heads = heads_of_q(call);
  const InsertCall insert(call, Rules::Insert::kTokenBytes + Rules::Insert::kScaleBytes);
  if (heads.n != kHead) unsupported("q must have heads of " + std::to_string(kHead) + " elements");
  if (insert.rows != heads.tokens) failed("kv must have as many rows as q");
  if (!has_type(insert.kv, heads.in.type_code, heads.in.type_bits)) unsupported("kv must have the type of q");
  if (heads.tokens == 0) return;
  with_half_type(insert.kv, [&](auto type) {
    using T = decltype(type);
    const HeadArguments<T, float> q = arguments_of<T, float>(heads, nullptr, nullptr, heads.out_heads);
    const InsertArguments<T> kv = insert.arguments<T>();
    const int64_t per_block = kInsertThreads / kInsertLanes, head_blocks = (int64_t{q.count} + per_block - 1) / per_block;
    const simt::Launch grid = call.grid(insert.blocks() + head_blocks, kInsertThreads);
    with_warp(call, [&](auto warp) {
      simt::launch(dsv4_qnorm_kv_insert<Rules, T, decltype(warp)::value>, grid, q, kv, int32_t(insert.blocks()));
    });
  });
}

}  // namespace assay_kernels
