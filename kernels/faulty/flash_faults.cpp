// The cache of attention gone wrong: the kernels of flash_faults.h with the regressions they are.
#include "kernels/faulty/flash_faults.h"

#include "kernels/faulty/offers/cache.h"

namespace assay_kernels {
namespace {

template <class Rules, int kScales = 1>
Kernel of_flash_heads(const char* name, const char* cites) {
  return of_caches<Rules>("reshape_and_cache_flash", run_reshape_and_cache_flash<Rules, kScales>, name, cites);
}

}  // namespace

std::vector<Kernel> flash_faults() {
  return {
      of_flash_heads<FlashScaleIgnored>("flash_scale_ignored", "sglang #23946: K and V are cast without their scales; sglang #20705"),
      of_flash_heads<FlashScalesExchanged>("flash_scales_exchanged", "vLLM #6081: one scale of both became one of each"),
      of_flash_heads<FlashFirstHeadScale, kHeads>("flash_first_head_scale", "sglang #26436: scales of heads taken for one"),
      of_flash_heads<FlashHndAsNhd>("flash_hnd_as_nhd", "vLLM #49012: heads in front of tokens taken for tokens in front of heads"),
      of_flash_heads<FlashReciprocal>("flash_reciprocal", "sglang #30924: a product where the op divides"),
      of_flash_heads<FlashSlotMinusOne>("flash_slot_minus_one", "vLLM #43810: padding with slot -1 is written to the last slot"),
  };
}

}  // namespace assay_kernels
