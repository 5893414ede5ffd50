// Blocks, given groups and packed scales gone wrong: the kernels of tile_faults.h with the regressions they are.
#include "kernels/faulty/tile_faults.h"

#include "kernels/faulty/offers/scale.h"
#include "kernels/faulty/offers/tile.h"
#include "kernels/ops/catalogue.h"

namespace assay_kernels {

std::vector<Kernel> tile_faults() {
  return {
      of_blocks<BlockScalesTransposed>("block_scales_transposed", "attention.rs #22, flashinfer #2147"),
      of_blocks<BlockRowsForgotten>("block_rows_forgotten", "no regression known; a block reduced as if it were 1 x 128"),
      of_blocks<BlockReadsPastEdge>("block_reads_past_edge", "triton #10772, vLLM #47303, TransformerEngine #3070"),
      of_given_groups<StaticScalesTransposed>("static_scales_transposed", "sglang #29036, aiter #4506", {"col"}),
      of_packs<PackMantissaLeak>("pack_mantissa_leak", "sglang #25733, sglang #39193"),
      of_packs<PackAbsentGroups>("pack_absent_groups", "TransformerEngine #3070, vLLM #47303"),
      of_packs<PackPaddingRows>("pack_padding_rows", "vLLM #49784, sglang #32386"),
      of_packs<PackGapRows>("pack_gap_rows", "vLLM #49784, sglang #32386: DeepGEMM reads what nobody wrote"),
      of_packs<PackRowMajorWords>("pack_row_major_words", "attention.rs #22, sglang #29036"),
  };
}

}  // namespace assay_kernels
