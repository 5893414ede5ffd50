// The cache of DeepSeek-V4 gone wrong: the kernels of dsv4_faults.h with the regressions they are.
#include "kernels/faulty/dsv4_faults.h"

#include "kernels/faulty/offers/cache.h"
#include "kernels/ops/catalogue.h"

namespace assay_kernels {
namespace {

template <class Rules>
Kernel of_dsv4_caches(const char* name, const char* cites, const Values& x = kHalf) {
  return of_caches<Rules>("dsv4_kv_insert", run_dsv4_kv_insert<Rules>, name, cites, x);
}

}  // namespace

std::vector<Kernel> dsv4_faults() {
  return {
      of_dsv4_caches<CacheSlotMinusOne<VllmDsv4Kv>>("dsv4_slot_minus_one",
                                                    "vLLM #43810: padding with slot -1 goes to the last slot"),
      of_dsv4_caches<CacheBlocksDense<VllmDsv4Kv>>("dsv4_blocks_dense",
                                                   "vLLM #44577, vLLM #45111: blocks of a packed cache lie apart"),
      of_dsv4_caches<Dsv4ScalesApartBy7>("dsv4_scales_apart_by_7", "vLLM 00ce99f0: kScaleBytesPerToken is 7 real + 1 pad"),
      of_dsv4_caches<Dsv4TokenByToken>("dsv4_token_by_token",
                                       "vLLM #50576, vLLM #40991, 1Cat-vLLM #250, there of the indexer's cache"),
      of_dsv4_caches<Dsv4PadStale>("dsv4_pad_stale", "vLLM #49784, there in padding of scales"),
      of_dsv4_caches<Dsv4FloorForCeil<>>("dsv4_floor_for_ceil", "vLLM #43557"),
      of_dsv4_caches<Dsv4FloorMissing>("dsv4_floor_missing", "pytorch/ao #4713, aiter #4288", {"f16"}),
      of_dsv4_caches<Dsv4Range224>("dsv4_range_224", "sglang #30900: 224 on every chip"),
      of_dsv4_caches<Dsv4GroupsMerged>("dsv4_groups_merged", "vLLM #39513, vLLM #42758"),
      of_dsv4_caches<Dsv4Unrotated<>>("dsv4_unrotated", "1Cat-vLLM #162: rotated numbers sometimes stored as they were"),
      of_dsv4_caches<Dsv4RotatedCutOff>("dsv4_rotated_cut_off", "aiter #5151, aiter #2236", {"bf16"}),
      of_dsv4_caches<Dsv4PositionsIgnored>("dsv4_positions_ignored",
                                           "no regression known; right for one sequence from its beginning"),
  };
}

}  // namespace assay_kernels
