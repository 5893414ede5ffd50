#include "kernels/ops/catalogue.h"
#include "kernels/ops/reshape_and_cache_flash/insert_heads.h"

namespace assay_kernels {
namespace {

template <class Rules, int kScales>
Kernel of() {
  return {"reshape_and_cache_flash",
          "reshape_and_cache_flash",
          {Rules::kContract},
          {{"x", kHalf}, {"warp", simt::kWarpSizes}},
          {},
          run_reshape_and_cache_flash<Rules, kScales>};
}

}  // namespace

std::vector<Kernel> reshape_and_cache_flash_kernels() {
  return {of<VllmFlashFp8, 1>(), of<VllmFlashFp8Heads, kHeads>(), of<VllmFlashFp8Hnd, 1>(), of<VllmFlashFp8HndHeads, kHeads>()};
}

}  // namespace assay_kernels
