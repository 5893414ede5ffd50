// 32 lanes a token, 16 numbers a lane: 28 of them make codes, the last four rotate.
#pragma once

#include "kernels/ops/catalogue.h"
#include "kernels/ops/dsv4_kv_insert/rules.h"

namespace assay_kernels {

inline constexpr int kInsertThreads = 128, kInsertLanes = 32, kHead = 512, kTurned = 64;

template <class T>
struct InsertArguments {
  const T* kv;
  const float* angles;       ///< 32 cosines and 32 sines of each position
  const int64_t* positions;  ///< of each row
  PagedCache cache;
};

/// The pairs of a lane, each rotated in fp32 and rounded once. `cosines`: of the first of them.
template <class Rules, class T>
SIMT_DEVICE void store_rotated(const float (&v)[16], const float* cosines, T* to) {
  simt::Vector<T> out[2];
  SIMT_UNROLL
  for (int quad = 0; quad < 2; ++quad) {
    const auto c = simt::load16(cosines + quad * 4), s = simt::load16(cosines + kTurned / 2 + quad * 4);
    SIMT_UNROLL
    for (int i = 0; i < 4; ++i) {
      const float e = v[quad * 8 + 2 * i], o = v[quad * 8 + 2 * i + 1];
      Rules::round(Rules::even(e, o, c.at[i], s.at[i]), Rules::odd(e, o, c.at[i], s.at[i]), out[quad].at[2 * i],
                   out[quad].at[2 * i + 1]);
    }
  }
  Rules::store(to, out[0]);
  Rules::store(to + 8, out[1]);
}

/// All lanes of a warp take part, those of tokens that are not there too.
template <class Rules, class T, int kWarp>
SIMT_DEVICE void insert_token(const InsertArguments<T>& a, int64_t token, int lane) {
  constexpr int kCoding = (kHead - kTurned) / 16;  // lanes
  const int64_t mapped = token < a.cache.tokens ? a.cache.slots[token] : -1;
  const bool stored = token < a.cache.tokens && Rules::is_stored(mapped);
  simt::Vector<T> x[2] = {};
  if (stored) {
    x[0] = simt::load16(a.kv + token * kHead + lane * 16);
    x[1] = simt::load16(a.kv + token * kHead + lane * 16 + 8);
  }
  float v[16], amax = 0;
  SIMT_UNROLL
  for (int i = 0; i < 16; ++i) {
    v[i] = simt::to_float(x[i / 8].at[i % 8]);
    amax = simt::max_number(amax, simt::magnitude(v[i]));
  }
  amax = simt::lane_reduce<kWarp, Rules::kLanes>(amax, [](float p, float q) { return simt::max_number(p, q); });
  if (!stored) return;
  const int64_t slot = Rules::place_of(a.cache, mapped), p = slot % a.cache.block_size;
  uint8_t* const block = Rules::block_of(a.cache, slot, Rules::kTokenBytes + Rules::kScaleBytes);
  if (lane >= kCoding) {
    const int first = (lane - kCoding) * 16;
    const float* const cosines = a.angles + Rules::position(a.positions[token], token) * kTurned;
    store_rotated<Rules>(v, cosines + first / 2, reinterpret_cast<T*>(block + Rules::rotated_at(p)) + first);
    if (lane == kCoding && Rules::kPads) block[Rules::pad_at(p, a.cache.block_size)] = 0;
    return;
  }
  const uint32_t byte = Rules::exponent(simt::max_number(amax, Rules::kLeastAmax) / Rules::kMost);
  const float factor = Rules::reciprocal(byte);
  SIMT_UNROLL
  for (float& number : v) number = simt::min_number(simt::max_number(number * factor, -Rules::kMost), Rules::kMost);
  simt::Vector<uint32_t> codes;
  SIMT_UNROLL
  for (int i = 0; i < 4; ++i) codes.at[i] = Rules::Code::encode4(v + 4 * i);
  Rules::store(reinterpret_cast<uint32_t*>(block + Rules::codes_at(p) + lane * 16), codes);
  if (lane % 4 == 0) block[Rules::scales_at(p, a.cache.block_size) + lane / 4] = uint8_t(byte);
}

template <class Rules, class T, int kWarp>
SIMT_KERNEL void dsv4_kv_insert(InsertArguments<T> a) {
  const int64_t token = simt::block() * (kInsertThreads / kInsertLanes) + simt::thread() / kInsertLanes;
  insert_token<Rules, T, kWarp>(a, token, simt::thread() % kInsertLanes);
}

template <class Rules>
void run_dsv4_kv_insert(const Call& call) {
  const assay_tensor &kv = call.input("kv"), &angles = call.input("cos_sin_cache"), &positions = call.input("positions");
  const int64_t rows = rows_of(kv, kHead);
  if (!has_type(angles, ASSAY_FLOAT, 32)) unsupported("cos_sin_cache must be fp32");
  if (rows_of(angles, kTurned) < 1) wrong("cos_sin_cache has no position");
  if (!has_type(positions, ASSAY_INT, 64) || positions.ndim != 1 || positions.shape[0] != rows)
    unsupported("positions must be int64, one a row");
  const PagedCache cache = paged_cache(call, rows, Rules::kTokenBytes + Rules::kScaleBytes);
  constexpr int kTokens = kInsertThreads / kInsertLanes;
  const simt::Launch grid = call.grid((cache.tokens + kTokens - 1) / kTokens, kInsertThreads);
  with_half_type(kv, [&](auto type) {
    using T = decltype(type);
    const InsertArguments<T> a{data_of<T>(kv), data_of<float>(angles), data_of<int64_t>(positions), cache};
    with_warp(call, [&](auto warp) { simt::launch(dsv4_kv_insert<Rules, T, decltype(warp)::value>, grid, a); });
  });
}

}  // namespace assay_kernels
