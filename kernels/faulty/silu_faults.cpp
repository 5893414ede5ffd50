// Faults of activations, alone and followed by quantization. Each description cites a bug report or source, or says that the fault is invented.
#include "kernels/faulty/silu_faults.h"

#include "kernels/ops/call.h"
#include "kernels/ops/silu_mul/act_and_mul_kernel.h"

namespace assay_kernels {

// SiLU-and-mul followed by quantization.

std::vector<Kernel> silu_faults() {
  return {
      of_gated_groups<GateUpSwapped<>>("gate_up_swapped", "sglang #9760: the second half of a row is read at a wrong address; this kernel exchanges gate and "
                                                          "up"),
      of_gated_groups<SiluRounded>("silu_rounded",
                                   "intel-xpu-backend-for-triton #7614: the kernel computes in fp32, its reference in bf16; this kernel rounds silu(gate) to "
                                   "16 bits"),
      of_gated_groups<SiluNotRounded>("silu_not_rounded", "vllm-omni #6283: this kernel does not round silu(gate) to 16 bits; the contract does"),
      of_gated_groups<ProductRounded>("product_rounded", "sglang #6394: this kernel rounds silu(gate) * up to 16 bits; the contract keeps fp32"),
      of_gated_groups<SigmoidByTanh>("sigmoid_by_tanh", "vLLM #24833: this kernel computes the sigmoid by tanh, which cancels to 0 for very negative gates"),
      of_gated_groups<SiluUbOnAmax>("silu_ub_on_amax",
                                    "vLLM common.cu 094be773: in the per-token op, scale_ub bounds amax; in this op it bounds the scale"),
      of_gated_groups<SiluUbBeginsWithZero>("silu_ub_begins_with_zero",
                                            "vLLM per_token_group_quant.cu v0.33.0 starts the maximum from eps; this kernel starts from 0"),
      of_gated_groups<SiluFloorMissing>("silu_floor_missing",
                                        "flashinfer #2595: the scale has no lower limit; vLLM test_fused_silu_mul_block_quant.py 0b9743da does not detect "
                                        "this"),
      of_gated_groups<SiluExponentByBf16>("exponent_by_bf16",
              "vLLM activation_kernels.cu 1a84e5b2: log2 is computed in bf16; the contract takes the exponent from the bits", {"col"}),
      of_gated_tokens<SiluTokenFloorMissing>("silu_token_floor_missing",
                                             "vLLM #49828: another lower bound is used, on amax instead of the scale; this kernel has no lower bound"),
      of_gated_tokens<SiluTokenProductKept>("silu_token_product_kept",
                                            "vLLM #46273: an argument decides whether the product is rounded to 16 bits; this kernel does not round it"),
      of_gated_mx<SiluMxZerosDivided>("silu_mx_zeros_divided",
                                      "vLLM mxfp8_utils.py v0.30.0 notes that CDNA flushes 2**-127 to zero; this kernel divides a block of zeros by it, which "
                                      "gives NaN"),
      of_masked<BeyondTokens<>>("beyond_tokens",
                                "rtp-llm #1362, sglang #32386: the kernel quantizes all rows of an expert, even those not in use"),
      of_masked<MaskedStrideIgnored>("masked_stride_ignored",
                                     "vLLM activation_kernels.cu v0.33.0: a block finds its next token by the stride of q; this kernel assumes that the rows "
                                     "of x are dense"),
      of_masked<MaskedScaleInF32>("masked_scale_in_f32",
                                  "ROCm/aiter #2420, vLLM #37835: the fallback computes scales in fp32; the contract computes them in bf16"),
  };
}

// Activations.

namespace {

/// Takes the second half of a row as the gate.
struct ActHalvesSwapped : VllmSiluAndMul {
  static constexpr bool kGateFirst = false;
};

/// Rounds only the product; the contract also rounds the activation.
struct ActNotRounded : VllmSiluAndMul {
  template <class T>
  SIMT_DEVICE static float stored(float activated) {
    return activated;
  }
};

/// Computes the sigmoid by tanh, as another contract does. For very negative gates, 1 + tanh cancels to 0.
struct ActSigmoidByTanh : VllmSiluAndMul {
  SIMT_DEVICE static float activation(float g) { return 0.5f * (1.0f + simt::tanh(0.5f * g)) * g; }
};

struct GeluByTanh : VllmGeluAndMul {
  SIMT_DEVICE static float activation(float g) { return VllmGeluTanhAndMul::activation(g); }
};

struct GeluByErf : VllmGeluTanhAndMul {
  SIMT_DEVICE static float activation(float g) { return VllmGeluAndMul::activation(g); }
};

/// Does not add beta to the up half, so -0 stays -0.
struct ActBetaMissing : VllmSiluAndMulBeta {
  SIMT_DEVICE static float up(float u) { return u; }
};

template <class Rules>
Kernel of_activation(const char* name, const char* cites) {
  return {name, "act_and_mul", {Rules::kContract}, {{"x", kAny}, {"warp", simt::kWarpSizes}}, {}, run_act_and_mul<Rules>, name,
          cites, "act_and_mul"};
}

}  // namespace

std::vector<Kernel> act_faults() {
  return {
      of_activation<ActHalvesSwapped>("act_halves_swapped",
                                      "vLLM #11624: mul_and_silu applies the activation to the other half; this kernel takes the second half as the gate"),
      of_activation<ActNotRounded>("act_not_rounded", "vllm-omni #6283: this kernel does not round silu(gate) to 16 bits; the contract does"),
      of_activation<ActSigmoidByTanh>("act_sigmoid_by_tanh", "vLLM #24833: this kernel computes the sigmoid by tanh, which cancels to 0 for very negative "
                                                             "gates"),
      of_activation<GeluByTanh>("gelu_by_tanh", "TensorRT-LLM #10446: its gelu is the tanh approximation; the contract computes the exact gelu"),
      of_activation<ActBetaMissing>("act_beta_missing", "vLLM v0.23.0 adds no beta to the up half, v0.24.0 does; this kernel does not add beta"),
      of_activation<GeluByErf>("gelu_by_erf", "vLLM #41574, #3411: Gemma is run with the exact gelu instead of the tanh approximation"),
  };
}

}  // namespace assay_kernels
