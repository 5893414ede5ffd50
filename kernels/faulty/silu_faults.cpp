// SiLU-and-mul gone wrong: the kernels of silu_faults.h with the regressions they are.
#include "kernels/faulty/silu_faults.h"

#include "kernels/faulty/offers/silu.h"
#include "kernels/ops/catalogue.h"

namespace assay_kernels {

std::vector<Kernel> silu_faults() {
  return {
      of_gated_groups<GateUpSwapped<>>("gate_up_swapped", "sglang #9760: the second half read from the wrong place"),
      of_gated_groups<SiluRounded>("silu_rounded",
                                   "intel-xpu-backend-for-triton #7614: fp32 here, bf16 in what it is held against"),
      of_gated_groups<SiluNotRounded>("silu_not_rounded", "vllm-omni #6283"),
      of_gated_groups<ProductRounded>("product_rounded", "sglang #6394"),
      of_gated_groups<SigmoidByTanh>("sigmoid_by_tanh", "vLLM #24833"),
      of_gated_groups<SiluUbOnAmax>("silu_ub_on_amax", "vLLM common.cu 094be773: in the per-token op the same name bounds amax"),
      of_gated_groups<SiluUbBeginsWithZero>("silu_ub_begins_with_zero",
                                            "vLLM per_token_group_quant.cu v0.33.0: there the maximum begins with eps"),
      of_gated_groups<SiluFloorMissing>("silu_floor_missing",
                                        "flashinfer #2595, vLLM test_fused_silu_mul_block_quant.py 0b9743da cannot see it"),
      of_gated_groups<SiluExponentByBf16>("exponent_by_bf16", "vLLM activation_kernels.cu 1a84e5b2: log2 in bf16", {"col"}),
      of_gated_tokens<SiluTokenFloorMissing>("silu_token_floor_missing",
                                             "vLLM #49828: there the floor is another one, under amax"),
      of_gated_tokens<SiluTokenProductKept>("silu_token_product_kept",
                                            "vLLM #46273: whether the product is rounded to 16 bits is an argument"),
      of_gated_mx<SiluMxZerosDivided>("silu_mx_zeros_divided",
                                      "vLLM mxfp8_utils.py v0.30.0, comment: 2**-127 flushes to zero on CDNA, 0/0 == NaN"),
      of_masked<BeyondTokens<>>("beyond_tokens",
                                "rtp-llm #1362, sglang #32386: activation and quantization over the whole room of an expert"),
      of_masked<MaskedScaleInF32>("masked_scale_in_f32",
                                  "ROCm/aiter #2420, vLLM #37835: the fallback packs exponents of fp32 scales"),
  };
}

}  // namespace assay_kernels
