// MXFP8 gone wrong: the kernels of mx_faults.h with the regressions they are.
#include "kernels/faulty/mx_faults.h"

#include "kernels/faulty/offers/mx.h"
#include "kernels/ops/catalogue.h"

namespace assay_kernels {

std::vector<Kernel> mx_faults() {
  return {
      of_mx<MxUnguardedReciprocal>("mx_unguarded_reciprocal", "flashinfer #2440, flashinfer #2441"),
      of_mx<MxScaleNotFlushed>("mx_scale_not_flushed", "flashinfer #3387: CuTe and CUDA kernels differ on subnormal scales"),
      of_mx<MxScaleNotSaturated>("mx_scale_not_saturated", "flashinfer #4023: an Inf in the input"),
      of_mx<MxNoEmax>("mx_no_emax", "vLLM #53110"),
      of_mx<MxConstantOfFp4>("mx_constant_of_fp4", "aiter e4048607 _mxfp8_quant_op: adds 0x200000, the constant of FP4"),
      of_mx<MxNanLaundering>("mx_nan_laundering", "pytorch/ao #4201"),
      of_mx<MxReciprocalSkipped>("mx_reciprocal_skipped", "aiter e4048607 quant_kernels.cu, comment on fp8 with e8m0 scales"),
      of_mx<MxStalePadding>("mx_stale_padding", "TransformerEngine #3070", run_mx<MxStalePadding>, {"e8m0_128x4", "e8m0_8x4"}),
      of_mx<FlashinferMxfp8>("mx_transposed_scales", "flashinfer #2147, attention.rs #22",
                             run_mx_misplaced<FlashinferMxfp8, TransposedBytes>, {"e8m0_row"}),
      of_mx<TorchaoMxRceil>("mx_unswizzled_scales", "TransformerEngine #3070: shapes taken for each other by a swizzle",
                            run_mx_misplaced<TorchaoMxRceil, RowMajorBytes>, {"e8m0_128x4"}),
      of_experts<VllmMxfp8Experts>("experts_as_one_matrix", "sglang #29036: rows of groups flattened into one matrix",
                                   run_experts_misplaced<VllmMxfp8Experts, OneMatrixOfExperts>),
      of_experts<FlashinferMxfp8>("batches_as_one_matrix",
                                  "flashinfer fp8Quantize.cpp: leading dimensions are flattened into m before scales are placed",
                                  run_experts_misplaced<FlashinferMxfp8, OneMatrixOfBatches>),
      of_experts<MxStaleBatches>("batch_padding_stale", "TransformerEngine #3070, flashinfer #3650"),
      of_mx<AiterTritonMxfp8N32k4>("mx_shuffle_of_other_chip", "aiter shuffle.py: shuffle_scale and shuffle_scale_n32k4, by chip",
                                   run_mx_misplaced<AiterTritonMxfp8N32k4, BytesOfOtherChip>, {"e8m0_n32k4"}, 256),
  };
}

}  // namespace assay_kernels
