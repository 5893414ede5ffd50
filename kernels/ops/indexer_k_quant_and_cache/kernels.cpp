#include "kernels/ops/catalogue.h"
#include "kernels/ops/indexer_k_quant_and_cache/insert_keys.h"

namespace assay_kernels {
namespace {

template <class Rules>
Kernel of() {
  return {"indexer_k_quant_and_cache",
          "indexer_k_quant_and_cache",
          {Rules::kContract},
          {{"x", R"(["bf16", "f16"])"}, {"warp", simt::kWarpSizes}},
          {},
          run_indexer_k_quant_and_cache<Rules>};
}

}  // namespace

std::vector<Kernel> indexer_k_quant_and_cache_kernels() {
  return {of<VllmIndexerK>(), of<VllmIndexerKUe8m0>(), of<VllmIndexerKFnuz>(), of<VllmIndexerKUe8m0Fnuz>()};
}

}  // namespace assay_kernels
