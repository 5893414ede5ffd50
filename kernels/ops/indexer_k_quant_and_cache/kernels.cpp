#include "kernels/ops/catalogue.h"
#include "kernels/ops/indexer_k_quant_and_cache/insert_keys.h"

namespace assay_kernels {
namespace {

template <class Rules>
Kernel of(const char* x) {
  return {"indexer_k_quant_and_cache",
          "indexer_k_quant_and_cache",
          {Rules::kContract},
          {{"x", x}, {"warp", simt::kWarpSizes}},
          {},
          run_indexer_k_quant_and_cache<Rules>};
}

}  // namespace

std::vector<Kernel> indexer_k_quant_and_cache_kernels() {
  const char *half = R"(["bf16", "f16"])", *bf16 = R"(["bf16"])";  // gfx942 rounds a quotient of fp16 twice
  return {of<VllmIndexerK>(half), of<VllmIndexerKUe8m0>(half), of<VllmIndexerKFnuz>(bf16), of<VllmIndexerKUe8m0Fnuz>(bf16)};
}

}  // namespace assay_kernels
