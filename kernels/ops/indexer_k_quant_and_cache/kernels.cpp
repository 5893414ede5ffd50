#include "kernels/ops/catalogue.h"
#include "kernels/ops/indexer_k_quant_and_cache/insert_keys.h"

namespace assay_kernels {
namespace {

template <class Rules>
Kernel indexer_row(const Values& x) {
  return {"indexer_k_quant_and_cache",
          "indexer_k_quant_and_cache",
          {Rules::kContract},
          {{"x", x}, {"warp", simt::kWarpSizes}},
          {},
          run_indexer_k_quant_and_cache<Rules>};
}

}  // namespace

std::vector<Kernel> indexer_k_quant_and_cache_kernels() {
  const Values bf16{"bf16"};  // gfx942 rounds a quotient of fp16 twice
  return {indexer_row<VllmIndexerK>(kHalf), indexer_row<VllmIndexerKUe8m0>(kHalf), indexer_row<VllmIndexerKFnuz>(bf16),
          indexer_row<VllmIndexerKUe8m0Fnuz>(bf16)};
}

}  // namespace assay_kernels
