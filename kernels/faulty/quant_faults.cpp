// Faults of quantization. Each description cites a bug report or source, or says that the fault is invented.
#include "kernels/faulty/quant_faults.h"
#include "kernels/ops/call.h"

namespace assay_kernels {

// Group quantization.

std::vector<Kernel> group_faults() {
  return {
      in_shared_memory<UnmaskedPackedMantissas>("unmasked_packed_mantissas", "sglang #25733, vLLM #40552: this kernel packs scales without a mask, so mantissa "
                                                                             "bits of a scale that is not a power of two reach the byte before it"),
      in_shared_memory<Fp32ScaleBitsForPacked>("fp32_scale_bits_for_packed", "DeepGEMM #417, vLLM #53680: this kernel stores the bits of one fp32 scale in a "
                                                                             "word for four packed exponents"),
      in_shared_memory<MissingBarrierInStaging<>>("missing_barrier_in_staging", "vLLM #54111: this kernel reads shared memory before other threads have "
                                                                                "written it (a race)"),
      in_registers<Range240For224>("range_240_for_224", "vLLM #46176, vLLM #32201: this kernel uses 240 as the largest e4m3fnuz value; the contract uses 224"),
      in_registers<FloorForCeil>("floor_for_ceil", "vLLM #43557: this kernel rounds scales down to powers of two; the contract rounds them up"),
      in_registers<NativeQuotient>("native_quotient",
                                   "pytorch BinaryDivTrueKernel.cu: the GPU multiplies by 1/448, the CPU version divides; this kernel divides under the GPU's "
                                   "contract"),
      in_registers<TritonNanBelow>("triton_nan_below", "vLLM fp8_utils.py v0.18.1: the bounds of Triton's clamp are not constants, so NaN becomes the lower "
                                                       "bound"),
      in_registers<GroupsMergedAt64<>>("groups_merged_at_64", "vLLM #39513, vLLM #42758: with 64 lanes, this kernel takes amax over two groups", {128}),
      in_registers<TruncationForNearest<>>("truncation_for_nearest", "aiter #5151, aiter #2236: this kernel truncates codes instead of rounding them"),
      in_registers<TransposedScales<>>("transposed_scales", "aiter #4506: this kernel writes row-major scales into a column-major "
                                                            "tensor", {32, 64, 128}, {"col"}),
      in_registers<StalePadding<>>("stale_padding", "vLLM #49784, sglang #32386: this kernel does not write the padding of the scale tensor"),
      in_registers<ZeroRowNan<>>("zero_row_nan", "pytorch/ao #4713, aiter #4288: this kernel has no lower limit for amax, so a group of zeros becomes NaN"),
      in_registers<NanLaundering<>>("nan_laundering", "pytorch/ao #4201: this kernel ignores NaN in amax; the contract keeps it"),
      in_registers<OcpForFnuz<>>("ocp_for_fnuz", "vLLM #45562: this kernel stores e4m3fn codes in an e4m3fnuz tensor"),
      in_registers<UnguardedReciprocal<>>("unguarded_reciprocal", "flashinfer #2440, flashinfer #2441: this kernel computes 1 / scale without a lower limit "
                                                                  "for the scale", {32, 64, 128},
                                          {"row", "col"}),
      of_tokens<Offset32bit>("offset_32bit", "vLLM #9425, vLLM #53390: a row offset overflows; in this kernel beyond 2^16 elements, so that a test can reach "
                                             "it"),
      of_tokens<TokenScaleUnrounded>("token_scale_unrounded",
                                     "this kernel keeps the scale in fp32, as vLLM's torch fallback does; the contract rounds it to the type of x"),
      in_registers<TransposeScaleNoOp>("transpose_scale_no_op", "aiter #4506, sglang #31617: with transpose_scale=True, this kernel still stores the scales "
                                                                "row-major", {32, 64, 128}, {"row_transposed"}),
  };
}

// Per-token, per-tensor and static quantization.

std::vector<Kernel> scale_faults() {
  return {
      of_tokens<ScaleUbIgnored>("scale_ub_ignored", "aiter e4048607 dynamic_per_token_scaled_quant never reads its parameter scale_ub"),
      of_tokens<ScaleUbOnScale>("scale_ub_on_scale",
                                "vLLM fused_silu_mul_block_quant.cu 09a2bf02: its parameter scale_ub bounds the scale; in this op it bounds amax"),
      of_tensors<ScaleNotCleared>("scale_not_cleared", "sglang #40557: the kernel calls atomicMax on a scale that was never set to zero"),
      of_tensors<ScaleFloorMissing>("scale_floor_missing", "TensorRT-LLM #8954, pytorch/ao #4713: this kernel has no lower limit for the scale, so a tensor of "
                                                           "zeros becomes NaN"),
      of_given_scales<ScaleForInverse<>>("scale_for_inverse", "vLLM #36297, tritonbench #1145: this kernel multiplies by the scale instead of its reciprocal"),
      of_given_groups<ScaleForInverse<VllmStaticGroup>>("group_scale_for_inverse", "vLLM #36297, tritonbench #1145: this kernel multiplies by the scale "
                                                                                   "instead of its reciprocal",
                                                        {"row", "col"}),
  };
}

// Block quantization, quantization by group scales that are inputs, and packing of scales.

std::vector<Kernel> tile_faults() {
  return {
      of_blocks<BlockScalesTransposed>("block_scales_transposed", "attention.rs #22, flashinfer #2147: this kernel writes column-major scales into a row-major "
                                                                  "tensor"),
      of_blocks<BlockRowsForgotten>("block_rows_forgotten", "invented fault: this kernel takes a block's amax over the block's first row only"),
      of_blocks<BlockReadsPastEdge>("block_reads_past_edge", "triton #10772, vLLM #47303, TransformerEngine #3070: a block at the right edge also reads the "
                                                             "beginning of the next row"),
      of_given_groups<StaticScalesTransposed>("static_scales_transposed", "sglang #29036, aiter #4506: this kernel reads column-major scales as "
                                                                          "row-major", {"col"}),
      of_packs<PackMantissaLeak>("pack_mantissa_leak", "sglang #25733, sglang #39193: this kernel packs scales without a mask, so mantissa bits "
                                                       "of a scale that is not a power of two reach the byte before it"),
      of_packs<PackAbsentGroups>("pack_absent_groups", "TransformerEngine #3070, vLLM #47303: bytes of groups that do not exist become 0xff (NaN) instead of "
                                                       "0"),
      of_packs<PackPaddingRows>("pack_padding_rows", "vLLM #49784, sglang #32386: this kernel packs the padding rows, whatever they contain"),
      of_packs<PackGapRows>("pack_gap_rows", "vLLM #49784, sglang #32386: unused rows of scales hold old data; this kernel packs them"),
      of_packs<PackRowMajorWords>("pack_row_major_words", "attention.rs #22, sglang #29036: this kernel stores the int32 words row-major; the contract stores "
                                                          "them column-major"),
  };
}

// MXFP8.

std::vector<Kernel> mx_faults() {
  return {
      of_mx<MxUnguardedReciprocal>("mx_unguarded_reciprocal", "flashinfer #2440, flashinfer #2441: this kernel computes 1 / scale without a guard for scale 0"),
      of_mx<MxScaleNotFlushed>("mx_scale_not_flushed",
                               "flashinfer #3387: CuTe and CUDA kernels treat subnormal scales differently; this kernel keeps a subnormal scale"),
      of_mx<MxScaleNotSaturated>("mx_scale_not_saturated", "flashinfer #4023: the input contains Inf; this kernel then stores the scale NaN"),
      of_mx<MxNoEmax>("mx_no_emax", "vLLM #53110: this kernel computes the exponent of a scale from amax; the contract uses amax / 256"),
      of_mx<MxConstantOfFp4>("mx_constant_of_fp4", "aiter e4048607 _mxfp8_quant_op adds 0x200000, the rounding constant for FP4, although its codes are FP8"),
      of_mx<MxNanLaundering>("mx_nan_laundering", "pytorch/ao #4201: this kernel ignores NaN in amax; the contract keeps it"),
      of_mx<MxReciprocalSkipped>("mx_reciprocal_skipped",
                                 "this kernel multiplies by the scale instead of its reciprocal, the mistake that a comment in aiter e4048607 quant_kernels.cu "
                                 "warns of"),
      of_mx<MxStalePadding>("mx_stale_padding", "TransformerEngine #3070: this kernel does not write the padding of the scale "
                                                "tensor", run_mx<MxStalePadding>, {"e8m0_128x4", "e8m0_8x4"}),
      of_mx<FlashinferMxfp8>("mx_transposed_scales", "flashinfer #2147, attention.rs #22: this kernel stores row-major scales transposed",
                             run_mx_misplaced<FlashinferMxfp8, TransposedBytes>, {"e8m0_row"}),
      of_mx<TorchaoMxRceil>("mx_unswizzled_scales", "TransformerEngine #3070: a swizzle confuses two shapes; this kernel stores tiled scales row-major",
                            run_mx_misplaced<TorchaoMxRceil, RowMajorBytes>, {"e8m0_128x4"}),
      of_experts<VllmMxfp8Experts>("experts_as_one_matrix", "sglang #29036: the scales of all experts are stored as one matrix; each expert's scales should "
                                                            "begin in a new tile",
                                   run_experts_misplaced<VllmMxfp8Experts, OneMatrixOfExperts>),
      of_experts<FlashinferMxfp8>("batches_as_one_matrix",
                                  "flashinfer fp8Quantize.cpp stores the scales of all batches as one matrix; in the contract, each batch's scales begin in a "
                                  "new tile",
                                  run_experts_misplaced<FlashinferMxfp8, OneMatrixOfBatches>),
      of_experts<MxStaleBatches>("batch_padding_stale", "TransformerEngine #3070, flashinfer #3650: this kernel does not write the padding rows of scales "
                                                        "after each batch"),
      of_mx<AiterTritonMxfp8N32k4>("mx_shuffle_of_other_chip",
                                   "aiter shuffle.py chooses shuffle_scale or shuffle_scale_n32k4 by chip; this kernel uses the other chip's shuffle",
                                   run_mx_misplaced<AiterTritonMxfp8N32k4, BytesOfOtherChip>, {"e8m0_n32k4"}, 256),
  };
}

// Int8.

std::vector<Kernel> int8_faults() {
  return {
      in_registers<Int8NearestForTruncation>("int8_nearest_for_truncation",
                                             "sglang #4396: half of all codes are one too large; this kernel's cast rounds to nearest instead of truncating"),
      in_registers<Int8ZeroGroup>("int8_zero_group", "pytorch/ao #4713, InternLM/lmdeploy #3652: this kernel has no lower limit for amax, so a group of zeros "
                                                     "gives 0 / 0"),
      of_tokens<Int8TruncationForNearest>("int8_truncation_for_nearest", "vLLM #45361, sglang-jax #1598: this kernel truncates codes instead of rounding them"),
      of_tokens<Int8TiesAwayForEven>("int8_ties_away", "vLLM #4525: the first version of the kernel calls round(), which rounds ties away from zero"),
      of_tokens<Int8InverseOfScale>("int8_inverse_of_scale", "sglang #30924: an fp8 kernel multiplies by the reciprocal of its scale; this int8 kernel does "
                                                             "so, too"),
      of_given_scales<Int8LimitedEvenly>("int8_limited_evenly", "aiter #4637 proposes the range -127 to 127; vLLM's begins at -128; this kernel clamps to "
                                                                "-127"),
      of_given_scales<Int8CodeWraps>("int8_code_wraps", "oneDNN #5879, sentence-transformers #3847: codes wrap instead of saturating"),
      of_given_zero_points<AzpSumWraps>("azp_sum_wraps", "vLLM scaled_quant.cu 180df48e: the int32 sum with the zero point wraps; the contract saturates it"),
      of_zero_points<AzpAddedBeforeRounding>("azp_added_before_rounding",
                                             "vLLM #7270: its review asks for one rounding, after the zero point is added; ties then round differently than in "
                                             "the contract"),
      of_zero_points<AzpForgotten>("azp_forgotten", "neural-compressor #1611, QuEST #18: this kernel does not add the zero point"),
      of_zero_points<AzpCutOff>("azp_cut_off", "mct-quantization-layers #124: this kernel truncates the zero point instead of rounding it"),
      of_zero_points<Azp254Steps>("azp_254_steps", "onnxruntime #25823: the range of a row is divided by 254 instead of 255"),
      of_zero_points<AzpMaximumFromZero>("azp_maximum_from_zero", "pytorch #65390, cholla #426: the maximum of a row begins with 0, which is wrong for rows of "
                                                                  "negative values"),
  };
}

}  // namespace assay_kernels
