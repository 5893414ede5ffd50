// The MLA cache gone wrong: the kernels of cache_faults.h with the regressions they are.
#include "kernels/faulty/cache_faults.h"

#include "kernels/faulty/offers/cache.h"
#include "kernels/ops/catalogue.h"

namespace assay_kernels {
namespace {

template <class Rules>
Kernel of_tile_caches(const char* name, const char* cites) {
  return of_caches<Rules>("concat_and_cache_mla", run_concat_and_cache_tiles<Rules>, name, cites);
}

}  // namespace

std::vector<Kernel> cache_faults() {
  return {
      of_tile_caches<CacheSlotMinusOne<>>("cache_slot_minus_one",
                                          "vLLM #43810: padding with slot -1 is written to the last slot"),
      of_tile_caches<CacheBlocksDense<>>("cache_blocks_dense", "vLLM #37032, vLLM #45111, aiter #3498"),
      of_tile_caches<CacheScalesLast>("cache_scales_last", "vLLM #48611: fp8_ds_mla taken for another layout"),
      of_tile_caches<CacheTilesMerged>("cache_tiles_merged", "vLLM #39513, vLLM #42758"),
      of_tile_caches<CacheReciprocal>("cache_reciprocal", "sglang #30924: a product where the op divides"),
      of_tile_caches<CacheScaleFloorMissing>("cache_scale_floor_missing", "pytorch/ao #4713, aiter #4288"),
      of_tile_caches<CachePowerOfTwo>("cache_power_of_two", "vLLM PR 49435: v0.31.0 where v0.30.0 divides"),
      of_tile_caches<Cache448For224>("cache_448_for_224", "vLLM cache_kernels.cu kFp8ScaleDivisor; sglang #30900"),
  };
}

}  // namespace assay_kernels
