#include "kernels/faulty/block_gemm_faults.h"

namespace assay_kernels {
namespace {

template <class Rules, int kParts = 1>
Kernel of_block_gemm(const char* name, const char* twin, const char* cites) {
  return {name, "gemm_block_scaled", {Rules::kContract}, {{"y", kAny}, {"warp", simt::kWarpSizes}}, {}, run_block_gemm<Rules, kParts>,
          name, cites,               twin};
}

}  // namespace

std::vector<Kernel> block_gemm_faults() {
  const char *torch = "gemm_block_scaled.torch", *other = "gemm_block_scaled", *amd = "gemm_block_scaled.amd";
  return {
      of_block_gemm<BlockGemmTwoRoundings>("block_gemm_two_roundings", other,
                                           "no regression known; what a compiler without contraction makes of it"),
      of_block_gemm<BlockGemmScaleOrder>(
          "block_gemm_scale_order", torch,
          "cutlass sm90_mma_tma_gmma_ss_warpspecialized_fp8_blockwise_scaling.hpp has both orders"),
      of_block_gemm<BlockGemmScaleOfBFirst>("block_gemm_scale_of_b_first", other, "no regression known; operands exchanged"),
      of_block_gemm<BlockGemmScaleATransposed>("block_gemm_scale_a_transposed", other,
                                               "aiter 4406: a strided x_scale taken for one with transposed bytes"),
      of_block_gemm<BlockGemmScaleBTransposed>("block_gemm_scale_b_transposed", torch,
                                               "no regression known; the weight's scales"),
      of_block_gemm<BlockGemmNextBlock>("block_gemm_next_block", other, "no regression known; an index that is one too high"),
      of_block_gemm<BlockGemmFirstTile>("block_gemm_first_tile", other,
                                        "flashinfer 2261: n beyond whole blocks read with other scales"),
      of_block_gemm<BlockGemmFirstBlock>("block_gemm_first_block", amd, "no regression known; an index that is not advanced"),
      of_block_gemm<BlockGemmRounded>("block_gemm_rounded", amd, "aiter issue 5151: bf16 on gfx942 by another rule than opus has"),
      of_block_gemm<BlockGemmKAscending>("block_gemm_k_ascending", amd,
                                         "composable_kernel 1eb2e573 blockwise_gemm_pipeline_xdlops_v1_ab_scale.hpp: KPack from one group of lanes to the next"),
      of_block_gemm<BlockGemmSplitKInF32, 2>("block_gemm_split_k_in_f32", "gemm_block_scaled.two_results",
                                             "aiter _gemm_a8w8_blockscale_reduce_kernel e4048607: AITER's Triton kernels add parts in f32"),
      of_block_gemm<BlockGemmTailDropped>("block_gemm_tail_dropped", other, "no regression known; a loop over whole blocks of k"),
      of_block_gemm<BlockGemmPromotionLate>("block_gemm_promotion_late", other,
                                            "cutlass fp8_accumulation.hpp: a counter that is held against its bound by equality"),
      of_block_gemm<BlockGemmPromotionEarly>("block_gemm_promotion_early", other,
                                             "vllm fp8_utils.py: BLOCK_SIZE_K comes from a file of tunings"),
      of_block_gemm<BlockGemmCForgotten>("block_gemm_c_forgotten", other, "no regression known; a store for a reducing one"),
      of_block_gemm<BlockGemmScalesSwapped>("block_gemm_scales_swapped", torch, "pytorch 146655: scales are switched"),
      of_block_gemm<BlockGemmScalesCut>("block_gemm_scales_cut", other,
                                        "deepgemm 364: a packer that takes exponents of scales that are no powers of two"),
      of_block_gemm<BlockGemmFractionLess>("block_gemm_fraction_less", other,
                                           "Khattak, Mikaitis (arXiv 2512.07004): units differ by single extra bits"),
      of_block_gemm<BlockGemmFnuzAsFn>("block_gemm_fnuz_as_fn", amd,
                                       "aiter utility/dtypes.py e4048607: gfx942 has fnuz and gfx950 has not"),
      of_block_gemm<BlockGemmWeightPlain>(
          "block_gemm_weight_plain", amd,
          "sglang: is_shuffled is lost by copy_ into a parameter, so nothing tells a shuffled weight"),
      of_block_gemm<BlockGemmWeightTwice>("block_gemm_weight_twice", amd,
                                          "no regression known; a weight loaded and shuffled twice"),
      of_block_gemm<BlockGemmGfx950ScaleRowMajor>("block_gemm_gfx950_scale_row_major", "gemm_block_scaled.amd.each_product",
                                                  "aiter 4406: spellings of x_scale, of which a kernel reads bytes"),
      of_block_gemm<BlockGemmScaleRowMajor>("block_gemm_scale_row_major", amd,
                                            "aiter 2358, 4406: spellings of a transposed x_scale that have other bytes"),
      of_block_gemm<BlockGemmSplitRace, 2>("block_gemm_split_race", "gemm_block_scaled.split_k",
                                           "no regression known; a part that is added after the sum was read"),
      of_block_gemm<BlockGemmPackedReversed>("block_gemm_packed_reversed", "gemm_block_scaled.blackwell",
                                             "deepgemm smxx_layout.cuh: byte j of a word is scale 4 p + j, little endian"),
      of_block_gemm<BlockGemmPackedFirstByte>("block_gemm_packed_first_byte", other,
                                              "deepgemm sm100_fp8_fp4_gemm_1d1d.cuh: sf_id = k_block % 4"),
      of_block_gemm<BlockGemmPackedNextWord>("block_gemm_packed_next_word", "gemm_block_scaled.blackwell",
                                             "no regression known; a column of words that is one too high"),
      of_block_gemm<BlockGemmPackedMantissa>("block_gemm_packed_mantissa", other,
                                             "deepgemm 364, sglang 25733: mantissa bits in the byte of an exponent"),
      of_block_gemm<BlockGemmMxFirstOfFour>("block_gemm_mx_first_of_four", "gemm_block_scaled.blackwell",
                                            "deepgemm 1x128 recipes: one byte for four blocks where MX has four"),
      of_block_gemm<BlockGemmMxLinear>("block_gemm_mx_linear", "gemm_block_scaled.blackwell",
                                       "vllm 42118: scales that are not put into tiles behind an all-to-all"),
      of_block_gemm<BlockGemmGain>("block_gemm_gain", other, "no regression known; what a global measure calls the same"),
  };
}

}  // namespace assay_kernels
