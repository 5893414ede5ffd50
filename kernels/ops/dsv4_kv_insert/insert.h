// 32 lanes a token: 28 of them make codes of 16 numbers each, and all of them rotate one pair.
#pragma once

#include "kernels/ops/catalogue.h"
#include "kernels/ops/dsv4_kv_insert/rules.h"
#include "kernels/ops/quant_group/lane_words.h"

namespace assay_kernels {

inline constexpr int kInsertThreads = 128, kInsertLanes = 32, kHead = 512, kTurned = 64;
inline constexpr int kCodingLanes = (kHead - kTurned) / 16;

template <class T>
struct InsertArguments {
  const T* kv;
  const float* angles;       ///< 32 cosines and 32 sines of each position
  const int64_t* positions;  ///< of each row
  PagedCache cache;
  int64_t pitch;    ///< from row to row of kv
  const T* weight;  ///< of a norm
  float eps;
};

/// What a lane has of a row of 512: the sixteen numbers that it codes, and one of the pairs that are rotated. Those lie with the
/// four lanes that code none as well, for the sum of a norm; a pair for each lane spares the others a branch of eight.
struct LaneOfRow {
  LaneWords<2> x{};
  uint32_t pair = 0;

  /// `all`: what no lane codes too.
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
    own.load(a.kv + Rules::row(token, a.pitch), lane, Rules::kNorm);  // whether or not it is stored: its slot is in flight too
    mapped = a.cache.slots[token];
    position = Rules::position(a.positions[token], token);
  }
};

/// Two numbers and their weights, as words, with the factor of their row; rounded.
template <class Rules, class T>
SIMT_DEVICE uint32_t normalized(uint32_t pair, uint32_t weights, float r) {
  float v[2], w[2];
  simt::pair_to_floats<T>(pair, v[0], v[1]);
  simt::pair_to_floats<T>(weights, w[0], w[1]);
  return simt::pair_from_floats<T>(Rules::template normalized<T>(v[0], r, w[0]), Rules::template normalized<T>(v[1], r, w[1]));
}

/// What the lane has, normalized over all lanes of the token. All lanes of a warp take part.
template <class Rules, class T, int kWarp>
SIMT_DEVICE LaneOfRow normalized(const LaneOfRow& own, const LaneOfRow& weights, float eps) {
  float v[16], squares = 0.0f, others = 0.0f;  // two chains of eight
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

/// `weights`: of a norm. All lanes of a warp take part, those of tokens that are not there too.
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
  insert_token<Rules, T, kWarp>(a, token, lane, weights);
}

/// What the insertion is called with, checked.
struct InsertCall {
  /// `token_bytes`: that a token takes in its block. `norm`: there are weights and an eps.
  InsertCall(const Call& call, int64_t token_bytes, bool norm = false)
      : kv(call.input("kv")), angles(call.input("cos_sin_cache")), positions(call.input("positions")) {
    const Shape shape = matrix_of_rows(kv);
    rows = shape.rows;
    if (shape.columns != kHead) unsupported("rows of " + std::to_string(kHead) + " numbers only");
    expect_aligned(kv);
    if (kv.strides[0] % 8 != 0) unsupported("rows of kv must begin at multiples of 16 bytes");
    if (norm) {
      weight = &call.input("norm_weight"), eps = float(call.number("eps"));
      expect_vector(*weight, kHead, kv);
      expect_aligned(*weight);
    }
    if (!has_type(angles, ASSAY_FLOAT, 32)) unsupported("cos_sin_cache must be fp32");
    if (rows_of(angles, kTurned) < 1) failed("cos_sin_cache has no position");
    if (!has_type(positions, ASSAY_INT, 64) || positions.ndim != 1 || positions.shape[0] != rows)
      unsupported("positions must be int64, one a row");
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
  /// Of kInsertThreads each.
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
  const simt::Launch grid = call.grid(insert.blocks(), kInsertThreads);
  with_half_type(insert.kv, [&](auto type) {
    using T = decltype(type);
    const InsertArguments<T> a = insert.arguments<T>();
    with_warp(call, [&](auto warp) { simt::launch(dsv4_kv_insert<Rules, T, decltype(warp)::value>, grid, a); });
  });
}

}  // namespace assay_kernels
