#include "kernels/ops/catalogue.h"
#include "kernels/ops/reshape_and_cache_flash/insert_heads.h"

namespace assay_kernels {
namespace {

template <class Rules, int kScales>
Kernel flash_cache_row() {
  return {"reshape_and_cache_flash",
          "reshape_and_cache_flash",
          {Rules::kContract},
          {{"x", kHalf}, {"warp", simt::kWarpSizes}},
          {},
          run_reshape_and_cache_flash<Rules, kScales>};
}

}  // namespace

std::vector<Kernel> reshape_and_cache_flash_kernels() {
  return {flash_cache_row<VllmFlashFp8, 1>(), flash_cache_row<VllmFlashFp8Heads, kHeads>(), flash_cache_row<VllmFlashFp8Hnd, 1>(),
          flash_cache_row<VllmFlashFp8HndHeads, kHeads>()};
}

}  // namespace assay_kernels
