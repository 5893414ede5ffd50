// Faults of norms. Each description cites a bug report or source, or says that the fault is invented.
#include "kernels/faulty/norm_faults.h"

#include "kernels/ops/call.h"
#include "kernels/ops/rms_norm/layer_norm_kernel.h"
#include "kernels/ops/rms_norm_quant/rms_norm_quant_group_kernel.h"
#include "kernels/ops/rms_norm_quant/rms_norm_quant_static_kernel.h"

namespace assay_kernels {

// rms_norm.

std::vector<Kernel> norm_faults() {
  return {
      of_norms<ExtraRoundingInNorm<>>("extra_rounding_in_norm", "vLLM #42325, vLLM #46070: this kernel also rounds before it multiplies by the weight; the "
                                                                "contract rounds only the result"),
      of_norms<MissingBarrier<>>("missing_barrier", "vLLM #54111: this kernel reads sums of other warps before they are written (a race)"),
      of_norms<MissingTail<>>("missing_tail", "NCCL #1950, aiter #4482: this kernel ignores the columns after the last full pass of a block over a row"),
      of_norms<VarianceIgnored<>>("variance_ignored", "invented fault: this kernel ignores the variance"),
      of_norms<EpsOutsideMean<>>("eps_outside_mean", "coremltools #2822: this kernel adds eps outside the square root"),
      of_norms<MissingRoundingInNorm<>>("missing_rounding_in_norm",
                                        "vLLM #49616: the kernel rounds only the result; the contract, the native op, also rounds before it multiplies by the "
                                        "weight"),
      of_norms<EpsBeforeMean<>>("eps_before_mean", "coremltools #2822: eps is added in the wrong place; this kernel adds it to the sum of squares before the "
                                                   "division by n"),
      of_norms<CutOffLoad<>>("cut_off_load", "aiter #5044: rows may end within a vector load; this kernel ignores that load"),
      of_norms<StrideIgnored<>>("stride_ignored",
                                "vLLM #26192, vLLM #22701: a caller views strided rows as [-1, H], so the kernel ignores the gaps between rows"),
      of_norms<SumNotDivided<>>("sum_not_divided",
                                "vLLM test_layernorm.py 041b9f54: at hidden size 8192, eps exceeds the variance; this kernel does not divide the sum of "
                                "squares by n"),
      of_norms<OnePlusWeightInBf16<>>("one_plus_weight_in_bf16", "Liger-Kernel #1462, vLLM #29810: this kernel rounds 1 + weight to bf16", {"bf16"}),
      of_norms<OneForgotten<>>("one_forgotten", "vLLM #29810: Gemma multiplies by 1 + weight; this kernel does not add the 1"),
      of_norms<CutOffStore<AiterRmsNorm>>("norm_store_cut_off", "aiter #5151: gfx942 truncates to bf16; this kernel does so on other chips, too", {"bf16"}),
      of_norms<NearestStore<AiterRmsNormGfx942>>("norm_store_to_nearest", "aiter #5151: gfx942 truncates to bf16; this kernel rounds to nearest, as gfx950 "
                                                                          "does",
                                                 {"bf16"}),
      of_norms<WeightsNotFlushed<>>("weights_not_flushed",
                                    "flashinfer/jit/core.py builds with -use_fast_math, which flushes subnormals; this kernel keeps subnormal weights"),
      of_norms<WeightSignKept<>>("weight_sign_kept", "flashinfer v0.1.6 norm.cuh does not add 0 to the weight, so a weight of -0 stays -0; in the contract it "
                                                     "becomes +0"),
      of_norms<WeightOffsetLeftOut>("weight_offset_left_out",
                                    "aiter v0.1.16.post6 rmsnorm_quant_kernels.cu does not add weight_offset, so a weight of -0 stays -0; in the contract it "
                                    "becomes +0"),
      of_added_norms<SumNotRounded>("sum_not_rounded", "vLLM #52104, vllm-omni #6878: this kernel squares and normalizes the fp32 sum x + residual; the "
                                                       "contract first rounds it to 16 bits"),
      of_added_norms<SumRounded>("sum_rounded", "aiter #2586, vLLM #52104: this kernel rounds the sum x + residual to 16 bits before it squares and normalizes "
                                                "it; the contract keeps fp32"),
      of_added_norms<VarianceOfUnroundedSum>("variance_of_unrounded_sum", "vLLM type_convert.cuh 4a8dd8e3, vLLM #52104: this kernel squares the fp32 sum x + "
                                                                          "residual; the contract squares the rounded sum"),
      of_added_norms<OutputsOfStoredResidual>("outputs_of_stored_residual",
                                              "aiter csrc/include/opus/rmsnorm_opus_kernel.hpp e4048607 uses the stored 16-bit residual from column 8192 on; "
                                              "this kernel does so in all columns, but its contract uses the fp32 sum"),
      of_added_norms<MixNotMade>("mix_not_made", "aiter csrc/include/opus/rmsnorm_opus_kernel.hpp e4048607, vLLM #52104: this kernel normalizes the fp32 sum "
                                                 "in all columns; the contract uses the stored 16-bit sum in the last columns of a long row"),
      of_added_norms<StaleResidual>("stale_residual", "vLLM #41972: an outdated residual is added; this kernel does not store the new residual"),
      of_added_norms<ResidualIgnored>("residual_ignored", "aiter #2586: this kernel does not add the residual"),
      of_added_norms<CutOffStore<AiterFusedAddRmsNorm>>("residual_cut_off",
                                                        "aiter #5151: the stored residual is truncated, so residuals become smaller from layer to "
                                                        "layer", {"bf16"}),
  };
}

// layer_norm.

namespace {

template <class Rules>
Kernel of_layer_norms(const char* name, const char* cites, const Values& x = kAny) {
  return {name, "layer_norm", {Rules::kContract}, {{"x", x}, {"warp", simt::kWarpSizes}}, {}, run_layer_norm<Rules>,
          name, cites,        "layer_norm"};
}

}  // namespace

std::vector<Kernel> layer_faults() {
  return {
      of_layer_norms<LayerByDifference>("layer_by_difference", "tracel-ai/burn #5607, ml-explore/mlx #2238, onnxruntime #28463: this kernel computes the "
                                                               "variance as mean(x^2) - mean(x)^2; the contract makes two passes"),
      of_layer_norms<LayerLessOne>("layer_less_one", "LBANN #2024: this kernel divides by n - 1 to get the variance; the contract divides by n"),
      of_layer_norms<LayerEpsOutsideRoot>("layer_eps_outside_root", "tracel-ai/burn #2185: this kernel adds eps outside the square root"),
      of_layer_norms<LayerWeightsRounded>("layer_weights_rounded", "ROCm/ATOM #1359, aiter #3451: this kernel rounds fp32 weights to bf16", {"bf16"}),
      of_layer_norms<LayerBetaForgotten>("layer_beta_forgotten", "ferrox #230: this kernel does not add beta"),
      of_layer_norms<LayerByRms>("layer_by_rms", "ferrox #230: one norm is used instead of another; this kernel computes RMS norm instead of LayerNorm"),
      of_layer_norms<LayerRoundedFirst>("layer_rounded_first",
                                        "vLLM #42325, vLLM #46070: rms_norm rounds before it multiplies by the weight; this LayerNorm does so", kHalf),
  };
}

// Norms followed by quantization.

namespace {

template <class Rules>
Kernel of_norm_groups(const char* name, const char* cites, const Values& layouts = {"row", "col", "tma"}) {
  return {name,
          "rms_norm_quant_group",
          {Rules::kContract},
          {{"x", kHalf}, {"group_size", {64, 128}}, {"layout", layouts}, {"warp", simt::kWarpSizes}},
          {},
          run_rms_norm_quant_group<Rules>,
          name,
          cites,
          "rms_norm_quant_group"};
}

/// The fused op computes fp32 scales that are not powers of two. The packer then treats them as powers of two.
void run_fused_then_packed(const Call& call) {
  const assay_tensor& packed = call.output("scale");
  const Shape x = matrix_of_rows(call.input("x"));
  const int64_t groups = (x.columns + int64_t(call.number("group_size")) - 1) / int64_t(call.number("group_size"));
  std::vector<float> scales(size_t(x.rows * groups));
  const int64_t shape[] = {x.rows, groups}, strides[] = {groups, 1};
  std::vector<assay_tensor> tensors(call.raw().tensors, call.raw().tensors + call.raw().n_tensors);
  for (assay_tensor& tensor : tensors) {
    if (std::string(tensor.role) != "scale") continue;
    tensor.type_code = ASSAY_FLOAT;
    tensor.shape = shape, tensor.strides = strides;
    tensor.data = scales.data(), tensor.bytes = scales.size() * sizeof(float);
  }
  assay_call fused = call.raw();
  fused.tensors = tensors.data();
  run_rms_norm_quant_group<GroupAfterNorm<NormGroupPacked, PackedLater>>(Call(fused));

  const int64_t rows = packed.strides[1], words = int64_t(packed.bytes) / 4;  // with the words of padding
  for (int64_t at = 0; at < words; ++at) {
    uint32_t word = 0;
    for (int64_t j = 0; j < 4; ++j) {
      const int64_t row = at % rows, group = at / rows * 4 + j;
      const uint32_t bits = row < x.rows && group < groups ? simt::bits(scales[size_t(row * groups + group)]) : 0;
      word |= j < 3 ? bits >> (23 - 8 * j) : bits << 1;
    }
    static_cast<uint32_t*>(packed.data)[at] = word;
  }
}

/// Each thread of a block writes one scale. In a row with more groups than threads, some scales stay unwritten.
void run_scales_by_thread(const Call& call) {
  constexpr int64_t kThreads = 256;
  const Shape x = matrix_of_rows(call.input("x"));
  const int64_t groups = x.columns / int64_t(call.number("group_size"));
  if (groups <= kThreads) return run_rms_norm_quant_group<NormPerBlock>(call);
  const assay_tensor& scale = call.output("scale");
  std::vector<unsigned char> unseen(scale.bytes);
  std::vector<assay_tensor> tensors(call.raw().tensors, call.raw().tensors + call.raw().n_tensors);
  for (assay_tensor& tensor : tensors)
    if (std::string(tensor.role) == "scale") tensor.data = unseen.data();
  assay_call without = call.raw();
  without.tensors = tensors.data();
  run_rms_norm_quant_group<NormPerBlock>(Call(without));
}

template <class Rules>
Kernel of_norm_tokens(const char* name, const char* cites) {
  return {name,
          "rms_norm_quant_group",
          {Rules::kContract},
          {{"x", kHalf}, {"layout", {"row"}}, {"warp", simt::kWarpSizes}},
          {},
          run_rms_norm_quant_token<Rules>,
          name,
          cites,
          "rms_norm_quant_token"};
}

template <class Rules>
Kernel of_static_norms(const char* name, const char* cites) {
  return {name,
          "rms_norm_quant_static",
          {Rules::kContract},
          {{"x", kHalf}, {"group_size", {"tensor"}}, {"layout", {"row"}}, {"warp", simt::kWarpSizes}},
          {},
          run_rms_norm_quant_static<Rules>,
          name,
          cites,
          "rms_norm_quant_static"};
}

}  // namespace

std::vector<Kernel> norm_quant_faults() {
  return {
      of_norm_groups<GroupAfterNorm<NormPerBlock, BlockWithoutFloor>>(
          "norm_scale_floor_missing",
          "vLLM test_fused_quant_layernorm.py 0a88d969: absmax is never below 1/512 in its data; this kernel has no lower limit for the scale"),
      of_norm_groups<GroupAfterNorm<NormPerBlock, BlockByReciprocal>>("norm_scale_by_reciprocal",
                                                                      "vLLM's Helion rms_norm_per_block_quant computes amax * (1/qmax); the contract divides"),
      of_norm_groups<GroupAfterNorm<NormPerBlockFnuz, Block240>>("norm_fnuz_240", "vLLM utils.cuh 1f89a92c, sglang #30900: this kernel uses 240 as the largest "
                                                                                  "e4m3fnuz value; the contract uses 224"),
      of_norm_groups<GroupAfterNorm<NormPerBlock, BlockPitchUnpadded>>("norm_scale_pitch_unpadded", "vLLM #32619, vLLM #33255: this kernel ignores the padding "
                                                                                                    "between columns of transposed scales",
                                                                       {"tma"}),
      {"norm_group_scales_by_thread",
       "rms_norm_quant_group",
       {NormPerBlock::kContract},
       {{"x", kHalf}, {"group_size", {64}}, {"layout", {"row", "tma"}}, {"warp", simt::kWarpSizes}},
       {},
       run_scales_by_thread,
       "norm_group_scales_by_thread",
       "vLLM 0.32.0 and 0.33.0 rms_norm_per_block_quant (suites/FINDINGS.md): each thread writes one scale, so rows with more groups than threads lack scales",
       "rms_norm_quant_group"},
      {"norm_unmasked_packed_mantissas",
       "rms_norm_quant_group",
       {NormGroupPacked::kContract},
       {{"x", kHalf}, {"group_size", {32, 64, 128}}, {"layout", {"ue8m0x4_tma"}}, {"warp", simt::kWarpSizes}},
       {},
       run_fused_then_packed,
       "norm_unmasked_packed_mantissas",
       "vLLM #40552, vLLM #40650: the fused op's fp32 scales are packed as if they were powers of two",
       "rms_norm_quant_group"},
      {"norm_mx_no_emax",
       "rms_norm_quant_group",
       {VllmAddNormMxfp8::kContract},
       {{"x", kHalf}, {"group_size", {32}}, {"layout", {"e8m0_128x4"}}, {"warp", simt::kWarpSizes}},
       {},
       run_rms_norm_quant_mx<GroupAfterNorm<VllmAddNormMxfp8, NormMxNoEmax>>,
       "norm_mx_no_emax",
       "vLLM #53110: this kernel computes the exponent of a scale from amax; the contract uses amax / 448",
       "rms_norm_quant_mx"},
      of_norm_groups<AnotherNorm<NormPerBlock, NormRules>>("norm_of_the_other_profile", "vLLM #42325, vLLM #49616: this kernel rounds only the result of the "
                                                                                        "norm; the contract also rounds before it multiplies by the weight"),
      of_norm_groups<AnotherNorm<AiterNorm, NormRoundedBeforeCodes>>(
          "norm_rounded_before_codes", "aiter #1658, flashinfer #4480: the result of the norm is rounded to the input type before its quantization"),
      of_norm_groups<AnotherNorm<AiterGatedNorm, GatedBySigmoid>>(
          "norm_gated_by_sigmoid", "vLLM #40245: one implementation of RMSNormGated uses silu, another sigmoid; this kernel uses sigmoid under a silu "
                                   "contract", {"row"}),
      of_norm_groups<GroupAfterNorm<AiterHipGatedNorm, GatedFloorUnderScale>>(
          "norm_gated_floor_under_scale",
          "aiter fused_fp8_quant.py e4048607: the op's Triton kernel raises every scale to at least 1e-10; the contract does not", {"row"}),
      {"one_consumer_fused",
       "rms_norm_double_quant",
       {DoubleFused::kContract},
       {{"x", kHalf}, {"group_size", {128}}, {"layout", {"row", "col"}}, {"warp", simt::kWarpSizes}},
       {},
       run_double<DoubleFused, AnotherNorm<DoubleFused, NormRoundedBeforeCodes>>,
       "one_consumer_fused",
       "vLLM #41825: only one of two fused quantizations sees the unrounded norm; this kernel rounds the norm before the other",
       "rms_norm_double_quant"},
      of_norm_groups<AnotherNorm<AddNormPerBlock, AddedRounded>>("norm_of_rounded_sum", "vLLM #52104, aiter #2586: this kernel rounds the sum x + residual to "
                                                                                        "16 bits before the norm; the contract keeps fp32"),
      of_norm_tokens<GroupAfterNorm<AiterHipNormToken, NormTokenWithoutFloor>>(
          "norm_token_floor_missing", "lmdeploy #3652, kernels-community #680: a row of zeros is divided by its scale, which is 0"),
      of_norm_tokens<GroupAfterNorm<NormPerTokenUb, TokenUbOnScale>>(
          "norm_ub_on_scale", "vLLM fused_silu_mul_block_quant.cu 09a2bf02 applies scale_ub to the scale; the contract applies it to amax"),
      of_norm_tokens<AnotherNorm<NormPerToken, MissingTail<VllmDynamicNorm>>>("norm_tail_before_codes",
                                                                              "NCCL #1950, aiter #4482: this kernel ignores the columns after the last full "
                                                                              "pass of a block over a row"),
      of_static_norms<AnotherNorm<NormStatic20260618, NormNotRoundedBeforeCodes>>(
          "norm_not_rounded_before_codes", "vLLM #37838, vLLM #39047: the compiler drops the conversion to fp16 and back, so the norm is not rounded before "
                                           "its quantization"),
      of_static_norms<GivenAfterNorm<NormStaticV0191, StaticDivides>>(
          "norm_static_divides", "vLLM common.cu 094be773: the per-token op divides, the static op multiplies; this static kernel divides"),
      of_static_norms<AnotherNorm<AddNormStaticV0191, AddedStale>>("norm_static_stale_residual", "vLLM #41972, vLLM #40629: this kernel does not store the new "
                                                                                                 "residual"),
  };
}

}  // namespace assay_kernels
