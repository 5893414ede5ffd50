// The cache of DeepSeek-V4 gone wrong.
#pragma once

#include <cmath>

#include "kernels/faulty/cache_faults.h"
#include "kernels/ops/dsv4_kv_insert/insert.h"

namespace assay_kernels {

/// The eighth byte, which is padding, is forgotten between the scales of tokens.
struct Dsv4ScalesApartBy7 : VllmDsv4Kv {
  static int64_t scales_at(int64_t p, int64_t block_size) { return block_size * kTokenBytes + p * 7; }
  static int64_t pad_at(int64_t p, int64_t block_size) { return block_size * (kTokenBytes + 7) + p; }
};

/// A record of 584 bytes for each token, which begin at multiples of eight.
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

template <class Base = VllmDsv4Kv>
struct Dsv4FloorForCeil : Base {
  static uint32_t exponent(float v) { return simt::bits(v) >> 23; }
};

/// A group of zeros then has the exponent of 0, and 0 / 0 is a NaN.
struct Dsv4FloorMissing : VllmDsv4Kv {
  static constexpr float kLeastAmax = 0;
  static float reciprocal(uint32_t byte) { return byte == 0 ? HUGE_VALF : VllmDsv4Kv::reciprocal(byte); }
};

/// The range of gfx942 on chips of OCP codes.
struct Dsv4Range224 : VllmDsv4Kv {
  static constexpr float kMost = 224.0f;
};

/// One scale for two groups.
struct Dsv4GroupsMerged : VllmDsv4Kv {
  static constexpr int kLanes = 8;
};

template <class Base = VllmDsv4Kv>
struct Dsv4Unrotated : Base {
  static float even(float e, float /*o*/, float /*c*/, float /*s*/) { return e; }
  static float odd(float /*e*/, float o, float /*c*/, float /*s*/) { return o; }
};

/// Stores of rotated numbers are not rounded.
struct Dsv4RotatedCutOff : VllmDsv4Kv {
  template <class T>
  static uint32_t round(float even, float odd) {
    return simt::bits(even) >> 16 | (simt::bits(odd) & 0xffff0000u);
  }
};

struct Dsv4PositionsIgnored : VllmDsv4Kv {
  static int64_t position(int64_t /*position*/, int64_t token) { return token; }
};

}  // namespace assay_kernels
