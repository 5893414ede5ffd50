// Faults of quantization. Each cites the bug report or source that it reproduces.
#include "kernels/faulty/quant_faults.h"
#include "kernels/ops/call.h"

namespace assay_kernels {

// Group quantization.

std::vector<Kernel> group_faults() {
  return {
      in_shared_memory<UnmaskedPackedMantissas>("unmasked_packed_mantissas", "sglang #25733, vLLM #40552"),
      in_shared_memory<Fp32ScaleBitsForPacked>("fp32_scale_bits_for_packed", "DeepGEMM #417, vLLM #53680"),
      in_shared_memory<MissingBarrierInStaging<>>("missing_barrier_in_staging", "vLLM #54111"),
      in_registers<Range240For224>("range_240_for_224", "vLLM #46176, vLLM #32201"),
      in_registers<FloorForCeil>("floor_for_ceil", "vLLM #43557"),
      in_registers<NativeQuotient>("native_quotient",
                                   "pytorch BinaryDivTrueKernel.cu: the GPU multiplies by 1/448, the CPU version divides; this kernel divides under the GPU's "
                                   "contract"),
      in_registers<TritonNanBelow>("triton_nan_below", "vLLM fp8_utils.py v0.18.1: the bounds of Triton's clamp are not constants, so NaN becomes the lower "
                                                       "bound"),
      in_registers<GroupsMergedAt64<>>("groups_merged_at_64", "vLLM #39513, vLLM #42758", {128}),
      in_registers<TruncationForNearest<>>("truncation_for_nearest", "aiter #5151, aiter #2236"),
      in_registers<TransposedScales<>>("transposed_scales", "aiter #4506", {32, 64, 128}, {"col"}),
      in_registers<StalePadding<>>("stale_padding", "vLLM #49784, sglang #32386"),
      in_registers<ZeroRowNan<>>("zero_row_nan", "pytorch/ao #4713, aiter #4288"),
      in_registers<NanLaundering<>>("nan_laundering", "pytorch/ao #4201"),
      in_registers<OcpForFnuz<>>("ocp_for_fnuz", "vLLM #45562"),
      in_registers<UnguardedReciprocal<>>("unguarded_reciprocal", "flashinfer #2440, flashinfer #2441", {32, 64, 128},
                                          {"row", "col"}),
      of_tokens<Offset32bit>("offset_32bit", "vLLM #9425, vLLM #53390"),
      of_tokens<TokenScaleUnrounded>("token_scale_unrounded",
                                     "this kernel keeps the scale in fp32, as vLLM's torch fallback does; the contract rounds it to the type of x"),
      in_registers<TransposeScaleNoOp>("transpose_scale_no_op", "aiter #4506, sglang #31617", {32, 64, 128}, {"row_transposed"}),
  };
}

// Per-token, per-tensor and static quantization.

std::vector<Kernel> scale_faults() {
  return {
      of_tokens<ScaleUbIgnored>("scale_ub_ignored", "aiter e4048607 dynamic_per_token_scaled_quant never reads its parameter scale_ub"),
      of_tokens<ScaleUbOnScale>("scale_ub_on_scale",
                                "vLLM fused_silu_mul_block_quant.cu 09a2bf02: its parameter scale_ub bounds the scale; in this op it bounds amax"),
      of_tensors<ScaleNotCleared>("scale_not_cleared", "sglang #40557: the kernel calls atomicMax on a scale that was never set to zero"),
      of_tensors<ScaleFloorMissing>("scale_floor_missing", "TensorRT-LLM #8954, pytorch/ao #4713"),
      of_given_scales<ScaleForInverse<>>("scale_for_inverse", "vLLM #36297, tritonbench #1145"),
      of_given_groups<ScaleForInverse<VllmStaticGroup>>("group_scale_for_inverse", "vLLM #36297, tritonbench #1145",
                                                        {"row", "col"}),
  };
}

// Block quantization, quantization by group scales that are inputs, and packing of scales.

std::vector<Kernel> tile_faults() {
  return {
      of_blocks<BlockScalesTransposed>("block_scales_transposed", "attention.rs #22, flashinfer #2147"),
      of_blocks<BlockRowsForgotten>("block_rows_forgotten", "this kernel takes a block's amax over the block's first row only; no release is known to do this"),
      of_blocks<BlockReadsPastEdge>("block_reads_past_edge", "triton #10772, vLLM #47303, TransformerEngine #3070"),
      of_given_groups<StaticScalesTransposed>("static_scales_transposed", "sglang #29036, aiter #4506", {"col"}),
      of_packs<PackMantissaLeak>("pack_mantissa_leak", "sglang #25733, sglang #39193"),
      of_packs<PackAbsentGroups>("pack_absent_groups", "TransformerEngine #3070, vLLM #47303"),
      of_packs<PackPaddingRows>("pack_padding_rows", "vLLM #49784, sglang #32386"),
      of_packs<PackGapRows>("pack_gap_rows", "vLLM #49784, sglang #32386: unused rows of scales hold old data; this kernel packs them"),
      of_packs<PackRowMajorWords>("pack_row_major_words", "attention.rs #22, sglang #29036"),
  };
}

// MXFP8.

std::vector<Kernel> mx_faults() {
  return {
      of_mx<MxUnguardedReciprocal>("mx_unguarded_reciprocal", "flashinfer #2440, flashinfer #2441"),
      of_mx<MxScaleNotFlushed>("mx_scale_not_flushed",
                               "flashinfer #3387: CuTe and CUDA kernels treat subnormal scales differently; this kernel keeps a subnormal scale"),
      of_mx<MxScaleNotSaturated>("mx_scale_not_saturated", "flashinfer #4023: the input contains Inf; this kernel then stores the scale NaN"),
      of_mx<MxNoEmax>("mx_no_emax", "vLLM #53110"),
      of_mx<MxConstantOfFp4>("mx_constant_of_fp4", "aiter e4048607 _mxfp8_quant_op adds 0x200000, the rounding constant for FP4, although its codes are FP8"),
      of_mx<MxNanLaundering>("mx_nan_laundering", "pytorch/ao #4201"),
      of_mx<MxReciprocalSkipped>("mx_reciprocal_skipped",
                                 "this kernel multiplies by the scale instead of its reciprocal, the mistake that a comment in aiter e4048607 quant_kernels.cu "
                                 "warns of"),
      of_mx<MxStalePadding>("mx_stale_padding", "TransformerEngine #3070", run_mx<MxStalePadding>, {"e8m0_128x4", "e8m0_8x4"}),
      of_mx<FlashinferMxfp8>("mx_transposed_scales", "flashinfer #2147, attention.rs #22",
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
      of_experts<MxStaleBatches>("batch_padding_stale", "TransformerEngine #3070, flashinfer #3650"),
      of_mx<AiterTritonMxfp8N32k4>("mx_shuffle_of_other_chip",
                                   "aiter shuffle.py chooses shuffle_scale or shuffle_scale_n32k4 by chip; this kernel uses the other chip's shuffle",
                                   run_mx_misplaced<AiterTritonMxfp8N32k4, BytesOfOtherChip>, {"e8m0_n32k4"}, 256),
  };
}

// Int8.

std::vector<Kernel> int8_faults() {
  return {
      in_registers<Int8NearestForTruncation>("int8_nearest_for_truncation",
                                             "sglang #4396: half of all codes are one too large; in this kernel, because its cast rounds to nearest"),
      in_registers<Int8ZeroGroup>("int8_zero_group", "pytorch/ao #4713, InternLM/lmdeploy #3652"),
      of_tokens<Int8TruncationForNearest>("int8_truncation_for_nearest", "vLLM #45361, sglang-jax #1598"),
      of_tokens<Int8TiesAwayForEven>("int8_ties_away", "vLLM #4525: the first version of the kernel calls round(), which rounds ties away from zero"),
      of_tokens<Int8InverseOfScale>("int8_inverse_of_scale", "sglang #30924: an fp8 kernel multiplies by the reciprocal of its scale; this int8 kernel does "
                                                             "so, too"),
      of_given_scales<Int8LimitedEvenly>("int8_limited_evenly", "aiter #4637 proposes the range -127 to 127; vLLM's begins at -128; this kernel clamps to "
                                                                "-127"),
      of_given_scales<Int8CodeWraps>("int8_code_wraps", "oneDNN #5879, sentence-transformers #3847"),
      of_given_zero_points<AzpSumWraps>("azp_sum_wraps", "vLLM scaled_quant.cu 180df48e: the int32 sum with the zero point wraps; the contract saturates it"),
      of_zero_points<AzpAddedBeforeRounding>("azp_added_before_rounding",
                                             "vLLM #7270: its review asks for one rounding, after the zero point is added; ties then round differently than in "
                                             "the contract"),
      of_zero_points<AzpForgotten>("azp_forgotten", "neural-compressor #1611, QuEST #18"),
      of_zero_points<AzpCutOff>("azp_cut_off", "mct-quantization-layers #124"),
      of_zero_points<Azp254Steps>("azp_254_steps", "onnxruntime #25823: the range of a row is divided by 254 instead of 255"),
      of_zero_points<AzpMaximumFromZero>("azp_maximum_from_zero", "pytorch #65390, cholla #426"),
  };
}

}  // namespace assay_kernels
