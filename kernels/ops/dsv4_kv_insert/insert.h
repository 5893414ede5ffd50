// 32 lanes a token, 16 numbers a lane: 28 of them make codes, the last four rotate.
#pragma once

#include "kernels/ops/catalogue.h"
#include "kernels/ops/dsv4_kv_insert/rules.h"
#include "kernels/ops/quant_group/lane_words.h"

namespace assay_kernels {

inline constexpr int kInsertThreads = 128, kInsertLanes = 32, kHead = 512, kTurned = 64;

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

/// The numbers of a lane, normalized over all lanes of the token and rounded. All lanes of a warp take part.
template <class Rules, class T, int kWarp>
SIMT_DEVICE LaneWords<2> normalized(const LaneWords<2>& x, const LaneWords<2>& weight, float eps) {
  float v[16], w[16], squares[16];
  x.widen_to<T>(v);
  weight.widen_to<T>(w);
  SIMT_UNROLL
  for (int i = 0; i < 16; ++i) squares[i] = v[i] * v[i];
  SIMT_UNROLL
  for (int apart = 8; apart > 0; apart /= 2) {
    SIMT_UNROLL
    for (int i = 0; i < apart; ++i) squares[i] += squares[i + apart];
  }
  const float sum = simt::lane_reduce<kWarp, kInsertLanes>(squares[0], [](float a, float b) { return a + b; });
  const float r = Rules::factor(sum, 1.0f / kHead, eps);
  LaneWords<2> y;
  SIMT_UNROLL
  for (int i = 0; i < 8; ++i)
    y.at[i / 4].at[i % 4] = simt::pair_from_floats<T>(Rules::template normalized<T>(v[2 * i], r, w[2 * i]),
                                                      Rules::template normalized<T>(v[2 * i + 1], r, w[2 * i + 1]));
  return y;
}

/// Cosines and sines of the eight pairs of a lane.
struct LaneAngles {
  simt::Vector<float> cos[2], sin[2];

  /// `cosines`: of the first pair.
  SIMT_DEVICE void load(const float* cosines) {
    SIMT_UNROLL
    for (int quad = 0; quad < 2; ++quad) {
      cos[quad] = simt::load16(cosines + quad * 4);
      sin[quad] = simt::load16(cosines + kTurned / 2 + quad * 4);
    }
  }
};

/// The pairs of a lane, each rotated in fp32 and rounded once.
template <class Rules, class T>
SIMT_DEVICE void store_rotated(const LaneWords<2>& words, const LaneAngles& angles, T* to) {
  float v[16];
  words.widen_to<T>(v);
  simt::Vector<uint32_t> out[2];
  SIMT_UNROLL
  for (int i = 0; i < 8; ++i) {
    const float e = v[2 * i], o = v[2 * i + 1], c = angles.cos[i / 4].at[i % 4], s = angles.sin[i / 4].at[i % 4];
    out[i / 4].at[i % 4] = Rules::template round<T>(Rules::even(e, o, c, s), Rules::odd(e, o, c, s));
  }
  Rules::store(reinterpret_cast<uint32_t*>(to), out[0]);
  Rules::store(reinterpret_cast<uint32_t*>(to) + 4, out[1]);
}

/// All lanes of a warp take part, those of tokens that are not there too.
template <class Rules, class T, int kWarp>
SIMT_DEVICE void insert_token(const InsertArguments<T>& a, int64_t token, int lane) {
  constexpr int kCoding = (kHead - kTurned) / 16;  // lanes
  const bool is_row = token < a.cache.tokens, rotates = lane >= kCoding;
  const int first = (lane - kCoding) * 16;  // of the rotated numbers
  LaneWords<2> x{};
  int64_t mapped = -1, position = 0;
  if (is_row) {
    x.load(a.kv + Rules::row(token, a.pitch) + lane * 16);  // whether or not it is stored: its slot is in flight too
    mapped = a.cache.slots[token];
    position = Rules::position(a.positions[token], token);
  }
  const bool stored = is_row && Rules::is_stored(mapped);
  LaneAngles angles{};
  if (stored && rotates) angles.load(a.angles + position * kTurned + first / 2);
  if constexpr (Rules::kNorm) {
    LaneWords<2> weight;
    weight.load(a.weight + lane * 16);
    x = normalized<Rules, T, kWarp>(x, weight, a.eps);
  }
  const float amax = widest_of_lanes<Rules, T, kWarp, Rules::kLanes>(x);
  if (!stored) return;
  const int64_t slot = Rules::place_of(a.cache, mapped), p = a.cache.in_block(slot);
  uint8_t* const block = Rules::block_of(a.cache, slot, Rules::kTokenBytes + Rules::kScaleBytes);
  if (rotates) {
    store_rotated<Rules>(x, angles, reinterpret_cast<T*>(block + Rules::rotated_at(p)) + first);
    if (lane == kCoding && Rules::kPads) block[Rules::pad_at(p, a.cache.block_size())] = 0;
    return;
  }
  const uint32_t byte = Rules::exponent(simt::max_number(amax, Rules::kLeastAmax) / Rules::kMost);
  const CodesOfCache<Rules> codes_of(Rules::reciprocal(byte));
  Rules::store(reinterpret_cast<uint32_t*>(block + Rules::codes_at(p) + lane * 16), codes_of_lane<T>(x, codes_of));
  if (lane % 4 == 0) block[Rules::scales_at(p, a.cache.block_size()) + lane / 4] = uint8_t(byte);
}

template <class Rules, class T, int kWarp>
SIMT_KERNEL void dsv4_kv_insert(InsertArguments<T> a) {
  const int64_t token = simt::block() * (kInsertThreads / kInsertLanes) + simt::thread() / kInsertLanes;
  insert_token<Rules, T, kWarp>(a, token, simt::thread() % kInsertLanes);
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
    if (rows_of(angles, kTurned) < 1) wrong("cos_sin_cache has no position");
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
