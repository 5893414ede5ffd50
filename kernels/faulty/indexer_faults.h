// The cache of an indexer's keys gone wrong.
#pragma once

#include "kernels/faulty/cache_faults.h"
#include "kernels/ops/indexer_k_quant_and_cache/insert_keys.h"

namespace assay_kernels {

/// A record of 132 bytes for each key, which begin at multiples of four.
struct IndexerTokenByToken : VllmIndexerK {
  static int64_t codes_at(int64_t p) { return p * 132; }
  static int64_t scales_at(int64_t p, int64_t /*block_size*/) { return p * 132 + 128; }
  static void store(uint32_t* to, const simt::Vector<uint32_t>& codes) {
    for (const uint32_t word : codes.at) *to++ = word;
  }
};

/// scale_fmt is not read.
struct IndexerFormatIgnored : VllmIndexerKUe8m0 {
  static float stored(float scale) { return scale; }
};

struct IndexerFloorForCeil : VllmIndexerKUe8m0 {
  static float stored(float scale) { return simt::from_bits(simt::bits(scale) & 0xff800000u); }
};

struct IndexerFloorMissing : VllmIndexerK {
  static constexpr float kLeastAmax = 0;
};

struct IndexerReciprocal : VllmIndexerK {
  using Codes = CacheReciprocal::Codes;
};

/// A 16-bit number that is taken for an integer without a sign.
struct Fp16AsInteger {
  uint16_t bits;
};
SIMT_DEVICE float to_float(Fp16AsInteger v) { return float(v.bits); }
SIMT_DEVICE void from_floats(float low, float high, Fp16AsInteger& a, Fp16AsInteger& b) {
  a.bits = uint16_t(low), b.bits = uint16_t(high);
}

/// The maximum is taken of the bit patterns as integers; codes are those of the numbers.
struct IndexerAmaxOfIntegers : VllmIndexerK {
  template <class T>
  using Magnitude = Fp16AsInteger;
};

/// The divisor of OCP codes on a chip of FNUZ codes.
struct Indexer448For224 : VllmIndexerKUe8m0Fnuz {
  static constexpr float kMost = 448.0f;
};

}  // namespace assay_kernels
