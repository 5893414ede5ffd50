// The cache of attention gone wrong.
#pragma once

#include "kernels/faulty/times_reciprocal.h"
#include "kernels/ops/reshape_and_cache_flash/insert_heads.h"

namespace assay_kernels {

/// Numbers are cast as they are.
struct FlashScaleIgnored : VllmFlashFp8 {
  static float scale(const float*, const float*, bool, int) { return 1; }
};

/// V is divided by the scale of K, and K by that of V.
struct FlashScalesExchanged : VllmFlashFp8 {
  static float scale(const float* of_k, const float* of_v, bool is_value, int head) {
    return VllmFlashFp8::scale(of_v, of_k, is_value, head);
  }
};

struct FlashFirstHeadScale : VllmFlashFp8Heads {
  static float scale(const float* of_k, const float* of_v, bool is_value, int) { return *(is_value ? of_v : of_k); }
};

/// Tokens in front of heads, whatever the layout of the cache.
struct FlashHndAsNhd : VllmFlashFp8Hnd {
  static int64_t head_at(int64_t p, int64_t block_size, int head) { return VllmFlashFp8::head_at(p, block_size, head); }
};

struct FlashReciprocal : VllmFlashFp8 {
  using Codes = CodesByStep<E4m3fnSat, TimesReciprocal>;
};

/// A row without a slot goes to the last place, as index -1 does in Python.
struct FlashSlotMinusOne : VllmFlashFp8 {
  static bool is_stored(int64_t) { return true; }
  static int64_t place_of(const PagedCache& cache, int64_t slot) { return slot < 0 ? cache.places - 1 : slot; }
};

}  // namespace assay_kernels
