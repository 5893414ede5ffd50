// Which activation meets which static quantization.
#pragma once

#include "kernels/ops/quant_static/rules.h"
#include "kernels/ops/silu_mul_quant_group/activations.h"

namespace assay_kernels {

template <class ActivationRules, class GivenRules>
struct SiluStatic {
  using Activation = ActivationRules;
  using Given = GivenRules;
  static constexpr bool kPacked = false;
};

struct VllmSiluStatic : SiluStatic<SiluFast, VllmStatic> {
  static constexpr const char* kContract = "vllm.silu_and_mul_quant";
};
struct VllmSiluStaticFnuz : SiluStatic<SiluFast, VllmStaticFnuz> {
  static constexpr const char* kContract = "vllm.silu_and_mul_quant_fnuz";
};

struct VllmSiluTwiceStatic : SiluStatic<SiluTwice, VllmStatic> {
  static constexpr const char* kContract = "vllm.silu_and_mul_quant@v0.9.0";
};
struct VllmSiluTwiceStaticFnuz : SiluStatic<SiluTwice, VllmStaticFnuz> {
  static constexpr const char* kContract = "vllm.silu_and_mul_quant_fnuz@v0.9.0";
};

using SiluStaticList = RulesList<VllmSiluStatic, VllmSiluStaticFnuz, VllmSiluTwiceStatic, VllmSiluTwiceStaticFnuz>;

}  // namespace assay_kernels
