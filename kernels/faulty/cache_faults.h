// Paged caches gone wrong.
#pragma once

#include "kernels/faulty/times_reciprocal.h"
#include "kernels/ops/concat_and_cache_mla/given.h"
#include "kernels/ops/concat_and_cache_mla/tiles.h"

namespace assay_kernels {

/// A row without a slot goes to the last place, as index -1 does in Python.
template <class Twin = VllmFp8DsMla>
struct CacheSlotMinusOne : Twin {
  static bool is_stored(int64_t) { return true; }
  static int64_t place_of(const PagedCache& cache, int64_t slot) { return slot < 0 ? cache.places - 1 : slot; }
};

/// Blocks follow each other without the gap that their stride has.
template <class Twin = VllmFp8DsMla>
struct CacheBlocksDense : Twin {
  static uint8_t* block_of(const PagedCache& cache, int64_t slot, int token_bytes) {
    return cache.data + slot / cache.block_size() * (cache.block_size() * token_bytes);
  }
};

/// The scales follow the rotated numbers.
struct CacheScalesLast : VllmFp8DsMla {
  static int64_t scales_at(int64_t p) { return p * kTokenBytes + 640; }
  static int64_t rotated_at(int64_t p) { return p * kTokenBytes + 512; }
};

/// One scale for two tiles.
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

/// The scales of a later release.
struct CachePowerOfTwo : VllmFp8DsMla {
  static float scale(float amax) { return VllmFp8DsMlaV0310::scale(amax); }
};

/// The divisor of OCP codes on a chip of FNUZ codes.
struct Cache448For224 : VllmFp8DsMlaFnuz {
  static float scale(float amax) { return simt::max_number(amax / 448.0f, 0x1p-126f); }
};

}  // namespace assay_kernels
