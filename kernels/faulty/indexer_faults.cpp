// The indexer's cache gone wrong: the kernels of indexer_faults.h with the regressions they are.
#include "kernels/faulty/indexer_faults.h"

#include "kernels/faulty/offers/cache.h"
#include "kernels/ops/catalogue.h"

namespace assay_kernels {
namespace {

template <class Rules>
Kernel of_indexer_caches(const char* name, const char* cites) {
  return of_caches<Rules>("indexer_k_quant_and_cache", run_indexer_k_quant_and_cache<Rules>, name, cites);
}

}  // namespace

std::vector<Kernel> indexer_faults() {
  return {
      of_indexer_caches<CacheSlotMinusOne<VllmIndexerKUe8m0>>("indexer_slot_minus_one",
                                                              "vLLM #43810: padding with slot -1 goes to the last slot"),
      of_indexer_caches<CacheBlocksDense<VllmIndexerK>>("indexer_blocks_dense", "vLLM #45111, TensorRT-LLM #16223"),
      of_indexer_caches<IndexerTokenByToken>("indexer_token_by_token", "vLLM #50576, vLLM #40991, 1Cat-vLLM #250"),
      of_indexer_caches<IndexerFormatIgnored>("indexer_format_ignored", "vLLM #40552: scales that are no powers of two"),
      of_indexer_caches<IndexerFloorForCeil>("indexer_floor_for_ceil", "vLLM #43557"),
      of_indexer_caches<IndexerFloorMissing>("indexer_floor_missing", "pytorch/ao #4713, aiter #4288"),
      of_indexer_caches<IndexerReciprocal>("indexer_reciprocal", "sglang #30924: a product where the op divides"),
      of_caches<IndexerAmaxOfIntegers>("indexer_k_quant_and_cache", run_indexer_k_quant_and_cache<IndexerAmaxOfIntegers>,
                                       "indexer_fp16_as_integers",
                                       "vLLM 0.30.0 to 0.33.0: quant_utils.cuh 0492a439 maps Half to uint16_t", {"f16"}),
      of_indexer_caches<Indexer448For224>("indexer_448_for_224", "vLLM cache_kernels.cu kFp8ScaleDivisor; sglang #30900"),
  };
}

}  // namespace assay_kernels
