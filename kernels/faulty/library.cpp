// libassay_faulty.so: kernels that are wrong on purpose, on the CPU. Each differs from its twin by the rules in these headers.
#include "kernels/cpu/host_library.h"
#include "kernels/faulty/cache_faults.h"
#include "kernels/faulty/cast_faults.h"
#include "kernels/faulty/group_faults.h"
#include "kernels/faulty/int8_faults.h"
#include "kernels/faulty/layer_faults.h"
#include "kernels/faulty/mx_faults.h"
#include "kernels/faulty/norm_faults.h"
#include "kernels/faulty/norm_quant_faults.h"
#include "kernels/faulty/offers.h"
#include "kernels/faulty/rope_faults.h"
#include "kernels/faulty/scale_faults.h"
#include "kernels/faulty/silu_faults.h"
#include "kernels/faulty/tile_faults.h"

namespace {

using namespace assay_kernels;

const std::vector<Kernel>& kernels() {
  static const std::vector<Kernel> all = {
      in_shared_memory<UnmaskedPackedMantissas>("unmasked_packed_mantissas", "sglang #25733, vLLM #40552"),
      in_shared_memory<Fp32ScaleBitsForPacked>("fp32_scale_bits_for_packed", "DeepGEMM #417, vLLM #53680"),
      in_shared_memory<MissingBarrierInStaging<>>("missing_barrier_in_staging", "vLLM #54111"),
      in_registers<Range240For224>("range_240_for_224", "vLLM #46176, vLLM #32201"),
      in_registers<FloorForCeil>("floor_for_ceil", "vLLM #43557"),
      in_registers<GroupsMergedAt64<>>("groups_merged_at_64", "vLLM #39513, vLLM #42758", "[128]"),
      in_registers<TruncationForNearest<>>("truncation_for_nearest", "aiter #5151, aiter #2236"),
      in_registers<TransposedScales<>>("transposed_scales", "aiter #4506", "[32, 64, 128]", R"(["col"])"),
      in_registers<StalePadding<>>("stale_padding", "vLLM #49784, sglang #32386"),
      in_registers<ZeroRowNan<>>("zero_row_nan", "pytorch/ao #4713, aiter #4288"),
      in_registers<NanLaundering<>>("nan_laundering", "pytorch/ao #4201"),
      in_registers<OcpForFnuz<>>("ocp_for_fnuz", "vLLM #45562"),
      in_registers<UnguardedReciprocal<>>("unguarded_reciprocal", "flashinfer #2440, flashinfer #2441", "[32, 64, 128]",
                                          R"(["row", "col"])"),
      of_tokens<Offset32bit>("offset_32bit", "vLLM #9425, vLLM #53390"),
      of_tokens<ScaleUbIgnored>("scale_ub_ignored", "aiter e4048607 dynamic_per_token_scaled_quant: scale_ub is never read"),
      of_tokens<ScaleUbOnScale>("scale_ub_on_scale",
                                "vLLM fused_silu_mul_block_quant.cu 09a2bf02: there the same name bounds the scale"),
      of_tensors<ScaleNotCleared>("scale_not_cleared", "sglang #40557: atomicMax on a scale that nobody zeroed"),
      of_tensors<ScaleFloorMissing>("scale_floor_missing", "TensorRT-LLM #8954, pytorch/ao #4713"),
      of_given_scales<ScaleForInverse<>>("scale_for_inverse", "vLLM #36297, tritonbench #1145"),
      of_blocks<BlockScalesTransposed>("block_scales_transposed", "attention.rs #22, flashinfer #2147"),
      of_blocks<BlockRowsForgotten>("block_rows_forgotten", "no regression known; a block reduced as if it were 1 x 128"),
      of_blocks<BlockReadsPastEdge>("block_reads_past_edge", "triton #10772, vLLM #47303, TransformerEngine #3070"),
      in_registers<TransposeScaleNoOp>("transpose_scale_no_op", "aiter #4506, sglang #31617", "[32, 64, 128]",
                                       R"(["row_transposed"])"),
      of_given_groups<StaticScalesTransposed>("static_scales_transposed", "sglang #29036, aiter #4506", R"(["col"])"),
      of_given_groups<ScaleForInverse<VllmStaticGroup>>("group_scale_for_inverse", "vLLM #36297, tritonbench #1145",
                                                        R"(["row", "col"])"),
      of_mx<MxUnguardedReciprocal>("mx_unguarded_reciprocal", "flashinfer #2440, flashinfer #2441"),
      of_mx<MxScaleNotFlushed>("mx_scale_not_flushed", "flashinfer #3387: CuTe and CUDA kernels differ on subnormal scales"),
      of_mx<MxScaleNotSaturated>("mx_scale_not_saturated", "flashinfer #4023: an Inf in the input"),
      of_mx<MxNoEmax>("mx_no_emax", "vLLM #53110"),
      of_mx<MxConstantOfFp4>("mx_constant_of_fp4", "aiter e4048607 _mxfp8_quant_op: adds 0x200000, the constant of FP4"),
      of_mx<MxNanLaundering>("mx_nan_laundering", "pytorch/ao #4201"),
      of_mx<MxReciprocalSkipped>("mx_reciprocal_skipped", "aiter e4048607 quant_kernels.cu, comment on fp8 with e8m0 scales"),
      of_mx<MxStalePadding>("mx_stale_padding", "TransformerEngine #3070", run_mx<MxStalePadding>,
                            R"(["e8m0_128x4", "e8m0_8x4"])"),
      of_mx<FlashinferMxfp8>("mx_transposed_scales", "flashinfer #2147, attention.rs #22",
                             run_mx_misplaced<FlashinferMxfp8, TransposedBytes>, R"(["e8m0_row"])"),
      of_mx<TorchaoMxRceil>("mx_unswizzled_scales", "TransformerEngine #3070: shapes taken for each other by a swizzle",
                            run_mx_misplaced<TorchaoMxRceil, RowMajorBytes>, R"(["e8m0_128x4"])"),
      of_experts<VllmMxfp8Experts>("experts_as_one_matrix", "sglang #29036: rows of groups flattened into one matrix",
                                   run_experts_misplaced<VllmMxfp8Experts, OneMatrixOfExperts>),
      of_experts<FlashinferMxfp8>("batches_as_one_matrix",
                                  "flashinfer fp8Quantize.cpp: leading dimensions are flattened into m before scales are placed",
                                  run_experts_misplaced<FlashinferMxfp8, OneMatrixOfBatches>),
      of_experts<MxStaleBatches>("batch_padding_stale", "TransformerEngine #3070, flashinfer #3650"),
      of_mx<AiterTritonMxfp8N32k4>("mx_shuffle_of_other_chip", "aiter shuffle.py: shuffle_scale and shuffle_scale_n32k4, by chip",
                                   run_mx_misplaced<AiterTritonMxfp8N32k4, BytesOfOtherChip>, R"(["e8m0_n32k4"])", "256"),
      in_registers<Int8NearestForTruncation>("int8_nearest_for_truncation", "sglang #4396: half of all codes one more"),
      in_registers<Int8ZeroGroup>("int8_zero_group", "pytorch/ao #4713, InternLM/lmdeploy #3652"),
      of_tokens<Int8TruncationForNearest>("int8_truncation_for_nearest", "vLLM #45361, sglang-jax #1598"),
      of_tokens<Int8TiesAwayForEven>("int8_ties_away", "vLLM #4525: round() in the first version"),
      of_tokens<Int8InverseOfScale>("int8_inverse_of_scale", "sglang #30924, there for fp8"),
      of_given_scales<Int8LimitedEvenly>("int8_limited_evenly", "aiter #4637 proposes -127 .. 127 where vLLM has -128"),
      of_given_scales<Int8CodeWraps>("int8_code_wraps", "oneDNN #5879, sentence-transformers #3847"),
      of_given_zero_points<AzpSumWraps>("azp_sum_wraps", "vLLM scaled_quant.cu 180df48e: a plain sum of int32"),
      of_zero_points<AzpAddedBeforeRounding>("azp_added_before_rounding",
                                             "vLLM #7270: one conversion instead of two, asked in its review"),
      of_zero_points<AzpForgotten>("azp_forgotten", "neural-compressor #1611, QuEST #18"),
      of_zero_points<AzpCutOff>("azp_cut_off", "mct-quantization-layers #124"),
      of_zero_points<Azp254Steps>("azp_254_steps", "onnxruntime #25823: 254 after a change of the limits"),
      of_zero_points<AzpMaximumFromZero>("azp_maximum_from_zero", "pytorch #65390, cholla #426"),
      of_tile_caches<CacheSlotMinusOne>("cache_slot_minus_one", "slot -1 of padded batches, taken as an index"),
      of_tile_caches<CacheBlocksDense>("cache_blocks_dense", "vLLM cache_kernels.cu: block_stride is an argument and no product"),
      of_tile_caches<CacheScalesLast>("cache_scales_last", "vLLM fp8_ds_mla: codes, scales, rotated numbers, in this order"),
      of_tile_caches<CacheTilesMerged>("cache_tiles_merged", "vLLM #39513, vLLM #42758"),
      of_tile_caches<CacheReciprocal>("cache_reciprocal", "sglang #30924: a product where the op divides"),
      of_tile_caches<CacheScaleFloorMissing>("cache_scale_floor_missing", "pytorch/ao #4713, aiter #4288"),
      of_tile_caches<Cache448For224>("cache_448_for_224", "vLLM cache_kernels.cu kFp8ScaleDivisor; sglang #30900"),
      of_packs<PackMantissaLeak>("pack_mantissa_leak", "sglang #25733, sglang #39193"),
      of_packs<PackAbsentGroups>("pack_absent_groups", "TransformerEngine #3070, vLLM #47303"),
      of_packs<PackPaddingRows>("pack_padding_rows", "vLLM #49784, sglang #32386"),
      of_packs<PackGapRows>("pack_gap_rows", "vLLM #49784, sglang #32386: DeepGEMM reads what nobody wrote"),
      of_packs<PackRowMajorWords>("pack_row_major_words", "attention.rs #22, sglang #29036"),
      of_norms<ExtraRoundingInNorm<>>("extra_rounding_in_norm", "vLLM #42325, vLLM #46070"),
      of_norms<MissingBarrier<>>("missing_barrier", "vLLM #54111"),
      of_norms<MissingTail<>>("missing_tail", "NCCL #1950, aiter #4482"),
      of_norms<VarianceIgnored<>>("variance_ignored", "no regression known; the coarsest mistake a norm can make"),
      of_norms<EpsOutsideMean<>>("eps_outside_mean", "coremltools #2822"),
      of_norms<MissingRoundingInNorm<>>("missing_rounding_in_norm", "vLLM #49616: N-B where the native op says N-A"),
      of_norms<EpsBeforeMean<>>("eps_before_mean", "coremltools #2822: eps of another size than the mean"),
      of_norms<CutOffLoad<>>("cut_off_load", "aiter #5044: rows that end within a load"),
      of_norms<StrideIgnored<>>("stride_ignored", "vLLM #26192, vLLM #22701: view(-1, H) of rows that lie apart"),
      of_norms<SumNotDivided<>>("sum_not_divided", "vLLM test_layernorm.py 041b9f54: at hidden 8192 eps hides the variance"),
      of_norms<OnePlusWeightInBf16<>>("one_plus_weight_in_bf16", "Liger-Kernel #1462, vLLM #29810", R"(["bf16"])"),
      of_norms<OneForgotten<>>("one_forgotten", "vLLM #29810: Gemma's weights count from one"),
      of_norms<CutOffStore<AiterRmsNorm>>("norm_store_cut_off", "aiter #5151: the rule of gfx942 elsewhere", R"(["bf16"])"),
      of_norms<NearestStore<AiterRmsNormGfx942>>("norm_store_to_nearest", "aiter #5151: the rule of gfx950 on gfx942",
                                                 R"(["bf16"])"),
      of_layer_norms<LayerByDifference>("layer_by_difference", "tracel-ai/burn #5607, ml-explore/mlx #2238, onnxruntime #28463"),
      of_layer_norms<LayerLessOne>("layer_less_one", "LBANN #2024"),
      of_layer_norms<LayerEpsOutsideRoot>("layer_eps_outside_root", "tracel-ai/burn #2185"),
      of_layer_norms<LayerWeightsRounded>("layer_weights_rounded", "ROCm/ATOM #1359, aiter #3451", R"(["bf16"])"),
      of_layer_norms<LayerBetaForgotten>("layer_beta_forgotten", "ferrox #230"),
      of_layer_norms<LayerByRms>("layer_by_rms", "ferrox #230: a norm taken for the other"),
      of_layer_norms<LayerRoundedFirst>("layer_rounded_first", "vLLM #42325, vLLM #46070: the other profile, there of rms_norm",
                                        kHalf),
      of_added_norms<SumNotRounded>("sum_not_rounded", "vLLM #52104, vllm-omni #6878"),
      of_added_norms<SumRounded>("sum_rounded", "aiter #2586, vLLM #52104"),
      of_added_norms<VarianceOfUnroundedSum>("variance_of_unrounded_sum", "vLLM type_convert.cuh 4a8dd8e3, vLLM #52104"),
      of_added_norms<OutputsOfStoredResidual>("outputs_of_stored_residual",
                                              "aiter csrc/include/opus/rmsnorm_opus_kernel.hpp e4048607: beyond column 8192"),
      of_added_norms<MixNotMade>("mix_not_made", "aiter csrc/include/opus/rmsnorm_opus_kernel.hpp e4048607, vLLM #52104"),
      of_added_norms<StaleResidual>("stale_residual", "vLLM #41972: the residual of another tensor"),
      of_added_norms<ResidualIgnored>("residual_ignored", "aiter #2586"),
      of_added_norms<CutOffStore<AiterFusedAddRmsNorm>>("residual_cut_off", "aiter #5151: residuals shrink from layer to layer",
                                                        R"(["bf16"])"),
      of_norm_groups<GroupAfterNorm<NormPerBlock, BlockWithoutFloor>>(
          "norm_scale_floor_missing", "vLLM test_fused_quant_layernorm.py 0a88d969: absmax is never below 1/512 there"),
      of_norm_groups<GroupAfterNorm<NormPerBlock, BlockByReciprocal>>("norm_scale_by_reciprocal",
                                                                      "vLLM's Helion rms_norm_per_block_quant: amax * (1/qmax)"),
      of_norm_groups<GroupAfterNorm<NormPerBlockFnuz, Block240>>("norm_fnuz_240", "vLLM utils.cuh 1f89a92c, sglang #30900"),
      of_norm_groups<GroupAfterNorm<NormPerBlock, BlockPitchUnpadded>>("norm_scale_pitch_unpadded", "vLLM #32619, vLLM #33255",
                                                                       R"(["tma"])"),
      of_norm_groups<AnotherNorm<NormPerBlock, NormRules>>("norm_of_the_other_profile", "vLLM #42325, vLLM #49616"),
      of_norm_groups<AnotherNorm<AiterNorm, NormRoundedBeforeCodes>>(
          "norm_rounded_before_codes", "aiter #1658, flashinfer #4480: rounded to the input type first"),
      {"one_consumer_fused", "rms_norm_double_quant", {DoubleFused::kContract},
       {{"x", kHalf}, {"group_size", "[128]"}, {"layout", R"(["row", "col"])"}, {"warp", simt::kWarpSizes}}, {},
       run_double<DoubleFused, AnotherNorm<DoubleFused, NormRoundedBeforeCodes>>, "one_consumer_fused",
       "vLLM #41825: one consumer of the pair falls back to the unfused path", "rms_norm_double_quant"},
      of_norm_groups<AnotherNorm<AddNormPerBlock, AddedRounded>>("norm_of_rounded_sum", "vLLM #52104, aiter #2586"),
      of_norm_tokens<GroupAfterNorm<NormPerTokenUb, TokenUbOnScale>>(
          "norm_ub_on_scale", "vLLM fused_silu_mul_block_quant.cu 09a2bf02: bounds the scale there"),
      of_norm_tokens<AnotherNorm<NormPerToken, MissingTail<VllmDynamicNorm>>>("norm_tail_before_codes",
                                                                              "NCCL #1950, aiter #4482"),
      of_static_norms<AnotherNorm<NormStatic20260618, NormNotRoundedBeforeCodes>>(
          "norm_not_rounded_before_codes", "vLLM #37838, vLLM #39047: the compiler drops the half round trip"),
      of_static_norms<GivenAfterNorm<NormStaticV0191, StaticDivides>>(
          "norm_static_divides", "vLLM common.cu 094be773: the per-token op divides, the static one multiplies"),
      of_static_norms<AnotherNorm<AddNormStaticV0191, AddedStale>>("norm_static_stale_residual", "vLLM #41972, vLLM #40629"),
      of_gated_groups<GateUpSwapped<>>("gate_up_swapped", "sglang #9760: the second half read from the wrong place"),
      of_gated_groups<SiluRounded>("silu_rounded",
                                   "intel-xpu-backend-for-triton #7614: fp32 here, bf16 in what it is held against"),
      of_gated_groups<SiluNotRounded>("silu_not_rounded", "vllm-omni #6283"),
      of_gated_groups<ProductRounded>("product_rounded", "sglang #6394"),
      of_gated_groups<SigmoidByTanh>("sigmoid_by_tanh", "vLLM #24833"),
      of_gated_groups<SiluUbOnAmax>("silu_ub_on_amax", "vLLM common.cu 094be773: in the per-token op the same name bounds amax"),
      of_gated_groups<SiluFloorMissing>("silu_floor_missing",
                                        "flashinfer #2595, vLLM test_fused_silu_mul_block_quant.py 0b9743da cannot see it"),
      of_gated_groups<SiluExponentByBf16>("exponent_by_bf16", "vLLM activation_kernels.cu 1a84e5b2: log2 in bf16", R"(["col"])"),
      of_masked<BeyondTokens<>>("beyond_tokens",
                                "rtp-llm #1362, sglang #32386: activation and quantization over the whole room of an expert"),
      of_masked<MaskedScaleInF32>("masked_scale_in_f32",
                                  "ROCm/aiter #2420, vLLM #37835: the fallback packs exponents of fp32 scales"),
      of_casts<CastFloorForCeil>("cast_floor_for_ceil", "vLLM #43557"),
      of_casts<CastNanLaundering>("cast_nan_laundering", "aiter e4048607 vec_convert: v_med3_f32 without a guard"),
      of_casts<CastWithoutSaturation>("cast_without_saturation", "triton #7327, triton #7337"),
      of_casts<CastNanAboveLargest>("cast_nan_above_largest", "ROCm clr f9f995c amd_hip_fp8.h cast_to_f8"),
      of_casts<CastTiesAway>("cast_ties_away", "microxcaling 7bc4195: rounds ties away from zero by default"),
      of_casts<CastFlushesSubnormals>("cast_flushes_subnormals", "no regression known; what flushing hardware would do"),
      of_casts<CastRange240>("cast_range_240", "vLLM #32201, there 240 for 224"),
      of_casts<CastThroughBf16>("cast_through_bf16", "vLLM #42325, there in a norm before its quantization"),
      of_casts<CastShiftWraps>("cast_shift_wraps", "ROCm clr a853242 amd_hip_fp8.h cast_to_f8"),
      of_casts<CastFnuzForFn>("cast_fnuz_for_fn", "HIP 7.2.4 amd_hip_fp8.h on gfx942 with NDEBUG"),
      of_heads<DivergentShuffle>("rope_divergent_shuffle", "vLLM #51049, vLLM #50903, vLLM #57681"),
      of_heads<HalfAHeadApart>("rope_half_a_head_apart", "no regression known; rotary_dim taken for the head's"),
      of_heads<SignOnTheWrongHalf>("rope_sign_on_wrong_half",
                                   "no regression known; the inverse rotation of pos_encoding_kernels.cu 1051220e"),
      of_heads<InterleavedForNeox>("rope_interleaved_for_neox", "no regression known; is_neox the wrong way round"),
      of_heads<NeoxForInterleaved>("rope_neox_for_interleaved", "no regression known; is_neox the wrong way round"),
      of_heads<PositionOffByOne>("rope_position_off_by_one", "no regression known; positions counted from one"),
      of_heads<PositionsIgnored>("rope_positions_ignored", "no regression known; right for one sequence from its beginning"),
      of_heads<CacheRowsInterleaved>("rope_cache_interleaved", "no regression known; pairs of cosine and sine in the cache"),
      of_heads<RoundedBeforeRope>("rope_rounded_before", "vLLM #42325, there in a norm before its quantization"),
      of_heads<NotRoundedBeforeRope>("rope_not_rounded_before",
                                     "vLLM test_fused_deepseek_v4: its reference rounds and the kernel does not"),
      of_heads<KWeightForQ>("rope_k_weight_for_q", "no regression known; one weight for both"),
      of_heads<VRotatedToo>("rope_v_overwritten", "no regression known; every head of qkv is rotated"),
      of_q_heads<PaddedHeadsStale>("rope_padded_heads_stale", "vLLM #49784, there in padding of scales"),
      of_q_heads<FirstForLast>("rope_first_for_last",
                               "no regression known; rope_dim_offset of pos_encoding_kernels.cu 1051220e left out"),
  };
  return all;
}

const char* describe() {
  static const std::string text =
      assay_kernels::describe({"assay_faulty", "cpu", "SIMT on fibers, 32 or 64 lanes; wrong on purpose", "", ""}, kernels());
  return text.c_str();
}

assay_status run(const assay_call* call) { return assay_kernels::run(kernels(), call); }

}  // namespace

extern "C" __attribute__((visibility("default"))) const assay_library* assay_get_library(void) {
  static const assay_library library = assay_kernels::host_library(describe, run);
  return &library;
}
