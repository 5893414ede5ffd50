#include "kernels/faulty/gemm_faults.h"

#include "kernels/faulty/gemm_result_faults.h"
#include "kernels/ops/gemm_scaled/gemm.h"

namespace assay_kernels {
namespace {

template <class Rules, int kParts = 1>
Kernel of_gemm(const char* name, const char* twin, const char* cites) {
  return {name,  "gemm_scaled", {Rules::kContract}, {{"y", kAny}, {"warp", simt::kWarpSizes}}, {}, run_gemm<Rules, kParts>, name,
          cites, twin};
}

}  // namespace

std::vector<Kernel> gemm_faults() {
  const char *tensor = "gemm_scaled.tensor", *other = "gemm_scaled";
  return {
      of_gemm<GemmFractionLess>("gemm_fraction_less", tensor,
                                "Khattak, Mikaitis (arXiv 2512.07004): units differ by single extra bits"),
      of_gemm<GemmNearestForTruncation>("gemm_nearest_for_truncation", tensor,
                                        "Valpey, Li, Pai, Gopalakrishnan 2025 (arXiv 2502.15999) correct a like assumption"),
      of_gemm<GemmPromotionMissing>("gemm_promotion_missing", other,
                                    "triton 8056: the compiler folds the addition behind a dot of fp8 into it"),
      of_gemm<GemmPromotionLate>("gemm_promotion_late", other,
                                 "cutlass fp8_accumulation.hpp: a counter that is held against its bound by equality"),
      of_gemm<GemmPromotionExtra>("gemm_promotion_extra", other, "no regression known; another schedule of the same collective"),
      of_gemm<GemmAccumulatorF16>("gemm_accumulator_f16", other, "no regression known; f16 accumulation under the name of f32"),
      of_gemm<GemmFnAsFnuz>("gemm_fn_as_fnuz", other, "aiter utility/dtypes.py e4048607: gfx942 has fnuz and gfx950 has not"),
      of_gemm<GemmScalesSwapped>("gemm_scales_swapped", other, "pytorch 146655: scales are switched"),
      of_gemm<GemmTokenScaleNext>("gemm_token_scale_next", other, "no regression known; an index that is one too high"),
      of_gemm<GemmOneChannelScale>("gemm_one_channel_scale", "gemm_scaled.amd",
                                   "no regression known; a scale of a channel taken for that of a tensor"),
      of_gemm<GemmTailDropped>("gemm_tail_dropped", tensor, "no regression known; a loop over whole instructions of k"),
      of_gemm<GemmTailHalfUsed>("gemm_tail_half_used", tensor, "no regression known; a mask for half of the last tile"),
      of_gemm<GemmLastRow>("gemm_last_row", other, "no regression known; a bound of rows that is one too low"),
      of_gemm<GemmOffset32bit>("gemm_offset_32bit", other, "flashinfer 3743, deepgemm 226: offsets beyond 2^31 in 32 bits"),
      of_gemm<GemmTileBefore>("gemm_tile_before", other, "aiter 3445: stale tiles in shared memory, a count that waits for less"),
      of_gemm<GemmWeightTransposed>("gemm_weight_transposed", other,
                                    "no regression known; the weight as other libraries store it"),
      of_gemm<GemmGain>("gemm_gain", other, "no regression known; what a global measure calls the same"),
      of_gemm<GemmUnknownGain>("gemm_unknown_gain", other, "no regression known; what a bound of the error takes for rounding"),
      of_gemm<GemmUnknownTail>("gemm_unknown_tail", tensor, "no regression known; a loop over whole instructions of k"),
      of_gemm<GemmScaleOrder>("gemm_scale_order", other,
                              "vllm scaled_mm_sm90_fp8_dispatch.cuh: the order where a and b are exchanged"),
      of_gemm<GemmBiasBeforeScale>("gemm_bias_before_scale", tensor,
                                   "no regression known; a bias that is folded into the accumulator"),
      of_gemm<GemmRoundedTwice>("gemm_rounded_twice", tensor,
                                "aiter op_tests/test_gemm_a8w8.py e4048607: its reference adds the bias to 16 bits"),
      of_gemm<GemmSplitRace, 2>("gemm_split_race", "gemm_scaled.split_k",
                                "no regression known; a part that is added after the sum was read"),
      of_gemm<GemmBiasUnrounded>("gemm_bias_unrounded", other, "no regression known; the epilogue of vLLM's CUTLASS kernels"),
      of_gemm<GemmDotFolded>("gemm_dot_folded", other,
                             "triton 8056: the compiler folds the addition behind a dot of fp8 into it"),
      of_gemm<GemmKAscending>("gemm_k_ascending", "gemm_scaled.amd",
                              "composable_kernel 8e22e1ae blockwise_gemm_pipeline_xdlops_base.hpp: KPerThread from one group of lanes to the next"),
      of_gemm<GemmSubnormalsKept>("gemm_subnormals_kept", "gemm_scaled.amd",
                                  "aiter/jit/core.py e4048607: -fgpu-flush-denormals-to-zero left off"),
      of_gemm<GemmSplitKInF32, 2>("gemm_split_k_in_f32", "gemm_scaled.two_results",
                                  "aiter _gemm_a8w8_blockscale_reduce_kernel e4048607: AITER's Triton kernels add parts in f32"),
      of_gemm<GemmSplitKPartLost, 2>("gemm_split_k_part_lost", "gemm_scaled.two_results",
                                     "aiter 2335, 2526: a tuned split that the kernel does not have"),
      of_gemm<GemmAzpLeftOut>("gemm_azp_left_out", other,
                              "no regression known; zero points that a caller passes and nobody reads"),
      of_gemm<GemmAzpAdded>("gemm_azp_added", other, "no regression known; the other convention of signs"),
      of_gemm<GemmAzpInFloat>("gemm_azp_in_float", other, "no regression known; an epilogue whose leaves are all f32"),
      of_gemm<GemmAzpFirstRow>("gemm_azp_first_row", other,
                               "no regression known; a zero point a token taken for one of the tensor"),
      of_gemm<GemmAzpInBias>(
          "gemm_azp_in_bias", other,
          "vllm tests/kernels/quantization/test_cutlass_scaled_mm.py: the test of azp in the bias is skipped, it fails"),
      of_gemm<GemmInt8Tail>("gemm_int8_tail", "gemm_scaled.amd",
                            "no regression known; a loop over whole instructions, which gfx950 has longer"),
      of_gemm<GemmInt8BiasBeforeScale>("gemm_int8_bias_before_scale", "gemm_scaled.amd",
                                       "no regression known; a bias that is folded into the accumulator"),
      of_gemm<GemmOcpAsFnuz>("gemm_ocp_as_fnuz", "gemm_scaled.amd.as_gfx942",
                             "aiter utility/dtypes.py e4048607: gfx942 has fnuz and gfx950 has not"),
      of_gemm<GemmGfx950Gain>("gemm_gfx950_gain", "gemm_scaled.amd.one_rounding",
                              "no regression known; what a bound of the error takes for rounding"),
      of_gemm<GemmGfx950WeightTwice>("gemm_gfx950_weight_twice", "gemm_scaled.amd.as_gfx942",
                                     "no regression known; a loader that shuffles what was shuffled already"),
      of_gemm<GemmInt8LastProduct>("gemm_int8_last_product", other, "no regression known; the coarsest mistake of a sum"),
  };
}

}  // namespace assay_kernels
