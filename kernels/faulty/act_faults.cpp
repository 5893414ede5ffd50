// An activation times the other half gone wrong, each as it went wrong somewhere.
#include "kernels/ops/act_and_mul/act_and_mul.h"
#include "kernels/ops/catalogue.h"

namespace assay_kernels {
namespace {

/// The second half is taken for the gate.
struct ActHalvesSwapped : VllmSiluAndMul {
  static constexpr bool kGateFirst = false;
};

/// One rounding where two are due.
struct ActNotRounded : VllmSiluAndMul {
  template <class T>
  SIMT_DEVICE static float stored(float activated) {
    return activated;
  }
};

/// The form of another contract: nothing is left of 1 + tanh far below zero.
struct ActSigmoidByTanh : VllmSiluAndMul {
  SIMT_DEVICE static float activation(float g) { return 0.5f * (1.0f + simt::tanh(0.5f * g)) * g; }
};

struct GeluByTanh : VllmGeluAndMul {
  SIMT_DEVICE static float activation(float g) { return VllmGeluTanhAndMul::activation(g); }
};

struct GeluByErf : VllmGeluTanhAndMul {
  SIMT_DEVICE static float activation(float g) { return VllmGeluAndMul::activation(g); }
};

/// Nothing is added to the up half: its -0 stays.
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
      of_activation<ActHalvesSwapped>("act_halves_swapped", "vLLM #11624: mul_and_silu, whose activation is of the other half"),
      of_activation<ActNotRounded>("act_not_rounded", "vllm-omni #6283"),
      of_activation<ActSigmoidByTanh>("act_sigmoid_by_tanh", "vLLM #24833"),
      of_activation<GeluByTanh>("gelu_by_tanh", "TensorRT-LLM #10446: its gelu is the form by tanh"),
      of_activation<ActBetaMissing>("act_beta_missing", "vLLM v0.23.0 for v0.24.0: no beta is added to the up half"),
      of_activation<GeluByErf>("gelu_by_erf", "vLLM #41574, #3411: Gemma with the exact GELU"),
  };
}

}  // namespace assay_kernels
