// silu_mul_fp8_quant_deep_gemm: every step in bf16. Source: vLLM csrc/libtorch_stable/quantization/activation_kernels.cu
// (1a84e5b2).
#pragma once

#include "kernels/ops/silu_mul_quant_group/rules.h"

namespace assay_kernels {

SIMT_DEVICE float to_bf16(float v) { return simt::to_float(simt::from_float<simt::Bf16>(v)); }

struct MultiplyBf16 {
  float factor;
  SIMT_DEVICE explicit MultiplyBf16(float f) : factor(f) {}
  SIMT_DEVICE float operator()(float x) const { return to_bf16(x * factor); }
};

/// The constants are those of the source, as bits: bf16(1e-10) and bf16(1 / 448), which is 0.2 % low.
struct MaskedBf16 : GroupRules {
  using Element = MultiplyBf16;
  static constexpr bool kWritesPadding = false;
  SIMT_DEVICE static float amax(float widest) { return simt::max_number(widest, simt::from_bits(0x2edc0000u)); }
  SIMT_DEVICE static float scale(float amax) { return to_bf16(amax * simt::from_bits(0x3b120000u)); }
  SIMT_DEVICE static float operand(float /*amax*/, float scale) { return to_bf16(1.0f / scale); }
  SIMT_DEVICE static float clamp(float v) { return simt::max_number(v, -448.0f); }
};

struct MaskedBf16Ue8m0 : MaskedBf16 {
  SIMT_DEVICE static float scale(float amax) { return simt::exp2(simt::ceil(to_bf16(simt::log2(MaskedBf16::scale(amax))))); }
};

struct MaskedBf16Ue8m0x4 : MaskedBf16Ue8m0 {
  static constexpr bool kPacked = true;
};

/// Rows that an expert has: those below its count of tokens.
template <class GroupRulesOfIt>
struct SiluMasked : SiluGroup<SiluBf16, GroupRulesOfIt> {
  SIMT_DEVICE static bool is_row(int32_t token, int32_t tokens) { return token < tokens; }
};

struct VllmSiluMasked : SiluMasked<MaskedBf16> {
  static constexpr const char* kContract = "vllm.silu_mul_fp8_quant_deep_gemm";
};
struct VllmSiluMaskedUe8m0 : SiluMasked<MaskedBf16Ue8m0> {
  static constexpr const char* kContract = "vllm.silu_mul_fp8_quant_deep_gemm_ue8m0";
};
struct VllmSiluMaskedUe8m0x4 : SiluMasked<MaskedBf16Ue8m0x4> {
  static constexpr const char* kContract = "vllm.silu_mul_fp8_quant_deep_gemm_ue8m0x4";
};

using SiluMaskedList = RulesList<VllmSiluMasked, VllmSiluMaskedUe8m0, VllmSiluMaskedUe8m0x4>;

}  // namespace assay_kernels
