// Int8 gone wrong: the kernels of int8_faults.h with the regressions they are.
#include "kernels/faulty/int8_faults.h"

#include "kernels/faulty/offers/azp.h"
#include "kernels/faulty/offers/group.h"
#include "kernels/faulty/offers/scale.h"
#include "kernels/ops/catalogue.h"

namespace assay_kernels {

std::vector<Kernel> int8_faults() {
  return {
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
  };
}

}  // namespace assay_kernels
