// Rms_norm gone wrong: the kernels of norm_faults.h with the regressions they are.
#include "kernels/faulty/norm_faults.h"

#include "kernels/faulty/offers/norm.h"
#include "kernels/ops/catalogue.h"

namespace assay_kernels {

std::vector<Kernel> norm_faults() {
  return {
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
      of_norms<OnePlusWeightInBf16<>>("one_plus_weight_in_bf16", "Liger-Kernel #1462, vLLM #29810", {"bf16"}),
      of_norms<OneForgotten<>>("one_forgotten", "vLLM #29810: Gemma's weights count from one"),
      of_norms<CutOffStore<AiterRmsNorm>>("norm_store_cut_off", "aiter #5151: the rule of gfx942 elsewhere", {"bf16"}),
      of_norms<NearestStore<AiterRmsNormGfx942>>("norm_store_to_nearest", "aiter #5151: the rule of gfx950 on gfx942", {"bf16"}),
      of_norms<WeightsNotFlushed<>>("weights_not_flushed", "flashinfer/jit/core.py: -use_fast_math, and a build without it"),
      of_norms<WeightSignKept<>>("weight_sign_kept", "flashinfer v0.1.6 norm.cuh: no bias is added to the weight"),
      of_norms<WeightOffsetLeftOut>("weight_offset_left_out", "aiter v0.1.16.post6 rmsnorm_quant_kernels.cu: no weight_offset is added"),
      of_added_norms<SumNotRounded>("sum_not_rounded", "vLLM #52104, vllm-omni #6878"),
      of_added_norms<SumRounded>("sum_rounded", "aiter #2586, vLLM #52104"),
      of_added_norms<VarianceOfUnroundedSum>("variance_of_unrounded_sum", "vLLM type_convert.cuh 4a8dd8e3, vLLM #52104"),
      of_added_norms<OutputsOfStoredResidual>("outputs_of_stored_residual",
                                              "aiter csrc/include/opus/rmsnorm_opus_kernel.hpp e4048607: beyond column 8192"),
      of_added_norms<MixNotMade>("mix_not_made", "aiter csrc/include/opus/rmsnorm_opus_kernel.hpp e4048607, vLLM #52104"),
      of_added_norms<StaleResidual>("stale_residual", "vLLM #41972: the residual of another tensor"),
      of_added_norms<ResidualIgnored>("residual_ignored", "aiter #2586"),
      of_added_norms<CutOffStore<AiterFusedAddRmsNorm>>("residual_cut_off", "aiter #5151: residuals shrink from layer to layer",
                                                        {"bf16"}),
  };
}

}  // namespace assay_kernels
