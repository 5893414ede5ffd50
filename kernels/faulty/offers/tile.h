// How a kernel that is wrong on purpose is offered, its entry of describe(): blocks of many rows, and packed scales.
#pragma once

#include "kernels/ops/catalogue.h"
#include "kernels/ops/pack_scales/pack.h"
#include "kernels/ops/quant_tile/block.h"

namespace assay_kernels {

template <class Rules>
Kernel of_blocks(const char* name, const char* cites) {
  return {name, "quant_tile", {Rules::kContract}, block_accepts(), {}, run_block<Rules>, name, cites, "quant_block"};
}

template <class Rules>
Kernel of_packs(const char* name, const char* cites) {
  return {name, "pack_scales", {Rules::kContract}, pack_accepts(), {}, run_pack<Rules>, name, cites, "pack_scales"};
}

}  // namespace assay_kernels
