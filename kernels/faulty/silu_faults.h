// Faulty kernels of silu(gate) * up followed by quantization. Each derives from correct rules and replaces a few lines.
#pragma once

#include "kernels/ops/call.h"
#include "kernels/ops/silu_mul/silu_mul_quant_kernel.h"

namespace assay_kernels {

// silu(gate) * up followed by quantization.

/// A contract's rules with another activation.
template <class Base, class ActivationRules>
struct WithActivation : Base {
  using Activation = ActivationRules;
};
template <class Base, class GroupRulesOfIt>
struct WithGroup : Base {
  using Group = GroupRulesOfIt;
};

/// Takes the second half of a row as the gate.
template <class Base = VllmSiluPerBlock>
struct GateUpSwapped : Base {
  static constexpr bool kGateFirst = false;
};

template <class Base>
struct RoundsSilu : Base {
  static constexpr bool kRoundsSilu = true;
};
template <class Base>
struct KeepsSilu : Base {
  static constexpr bool kRoundsSilu = false;
};
template <class Base>
struct RoundsProduct : Base {
  static constexpr bool kRoundsProduct = true;
};

/// Rounds silu(gate) to 16 bits before the multiplication; the contract stays in fp32.
using SiluRounded = WithActivation<VllmSiluPerBlock, RoundsSilu<SiluF32>>;
/// Rounds only the product; the unfused ops also round silu(gate).
using SiluNotRounded = WithActivation<TorchSiluGroup, KeepsSilu<TorchSilu>>;
/// Rounds the product to 16 bits; the contract stays in fp32.
using ProductRounded = WithActivation<VllmSiluPerBlock, RoundsProduct<SiluF32>>;
/// Computes the sigmoid by tanh, as another contract does. For very negative gates, 1 + tanh cancels to 0.
using SigmoidByTanh = WithActivation<VllmFusedSilu, SiluTanh>;

/// Applies scale_ub to amax; the contract applies it to the scale, which is 448 times smaller.
struct UbOnAmax : SiluBlockUb {
  static float scale_within(float amax, float scale_ub) {
    return simt::max_number(simt::min_number(amax, scale_ub) / 448.0f, kLeastScale);
  }
};
using SiluUbOnAmax = WithGroup<VllmSiluPerBlockUb, UbOnAmax>;

/// Starts a group's maximum from 0, so a group of NaN has the maximum 0. It should be NaN, which scale_ub then replaces.
struct UbBeginsWithZero : SiluBlockUb {
  static float widest_of_none() { return 0.0f; }
};
using SiluUbBeginsWithZero = WithGroup<VllmSiluPerBlockUb, UbBeginsWithZero>;

/// Has no lower limit for the scale: for a group of zeros it computes 0 / 0, and a tiny group gets large codes instead of codes near 0.
struct NoFloor : SiluBlock {
  using Element = simt::DivideEach;
  static float scale(float amax) { return amax / 448.0f; }
};
using SiluFloorMissing = WithGroup<VllmSiluPerBlock, NoFloor>;

/// Rounds log2 to bf16. If it is rounded down to an integer, the exponent is one too low and the largest element is clipped.
struct ExponentByBf16 : GroupRounded {
  static float bf16(float v) { return simt::to_float(simt::from_float<simt::Bf16>(v)); }
  static float scale(float amax) { return simt::exp2(simt::ceil(bf16(simt::log2(bf16(amax * (1.0f / 448.0f)))))); }
};
using SiluExponentByBf16 = WithGroup<VllmFusedSiluRounded, ExponentByBf16>;

/// Also writes the rows of an expert that are not in use.
template <class Base = VllmSiluMasked>
struct BeyondTokens : Base {
  static bool is_row(int32_t /*token*/, int32_t /*tokens*/) { return true; }
};

/// Reads the rows of x as if they followed each other without a gap.
struct MaskedStrideIgnored : VllmSiluMasked {
  static constexpr bool kTakesStride = false;
};

/// Computes the scale in fp32; the contract computes it in bf16, which gives some groups another exponent.
struct ScaleInF32 : MaskedBf16Ue8m0x4 {
  static float scale(float amax) { return simt::exp2(simt::ceil(simt::log2(amax * (1.0f / 448.0f)))); }
};
using MaskedScaleInF32 = WithGroup<VllmSiluMaskedUe8m0x4, ScaleInF32>;

/// Has no lower limit for a per-token scale: a row of zeros gets scale 0.
struct TokenWithoutFloor : VllmPerToken {
  static float scale(float amax) { return amax / 448.0f; }
};
struct SiluTokenFloorMissing : WithGroup<VllmSiluPerToken, TokenWithoutFloor> {};

struct RoundsSiluAlone : SiluTwice {
  static constexpr bool kRoundsProduct = false;
};
struct SiluTokenProductKept : WithActivation<VllmSiluPerTokenRounded, RoundsSiluAlone> {};

/// Does not treat a block of zeros separately: its elements are divided by 2^-127, which is flushed to 0.
struct MxZerosDivided : VllmMxfp8Fused {
  static float multiplier(float /*amax*/, uint32_t e) { return VllmMxfp8Fused::multiplier(1.0f, e); }
};
using SiluMxZerosDivided = WithGroup<VllmSiluMxfp8, MxZerosDivided>;

// Rows of the kernel table for SiLU-and-mul with group quantization.

template <class Rules>
Kernel of_gated_groups(const char* name, const char* cites, const Values& layouts = {"row", "col", "tma"}) {
  return {name,
          "silu_mul_quant_group",
          {Rules::kContract},
          {{"x", kHalf},
           {"group_size", {32, 64, 128}},
           {"layout", Rules::kPacked ? Values{"ue8m0x4_tma"} : layouts},
           {"warp", simt::kWarpSizes}},
          {},
          run_silu_mul_quant_group<Rules>,
          name,
          cites,
          "silu_mul_quant_group"};
}

template <class Rules>
Kernel of_gated_tokens(const char* name, const char* cites) {
  return {name,
          "silu_mul_quant_group",
          {Rules::kContract},
          {{"x", kHalf}, {"layout", {"row"}}, {"warp", simt::kWarpSizes}},
          {{"n", 16}},
          run_silu_mul_quant_token<Rules>,
          name,
          cites,
          "silu_mul_quant_token"};
}

template <class Rules>
Kernel of_gated_mx(const char* name, const char* cites) {
  return {name,
          "silu_mul_quant_group",
          {Rules::kContract},
          {{"x", kHalf}, {"group_size", {32}}, {"layout", {"e8m0_128x4"}}, {"warp", simt::kWarpSizes}},
          {},
          run_silu_mul_quant_mx<Rules>,
          name,
          cites,
          "silu_mul_quant_mx"};
}

template <class Rules>
Kernel of_masked(const char* name, const char* cites) {
  return {name,
          "silu_mul_quant_masked",
          {Rules::kContract},
          {{"x", {"bf16"}},
           {"group_size", {128}},
           {"layout", Rules::kPacked ? Values{"ue8m0x4_col"} : Values{"col"}},
           {"warp", simt::kWarpSizes}},
          {},
          run_silu_mul_quant_masked<Rules>,
          name,
          cites,
          "silu_mul_quant_masked"};
}

}  // namespace assay_kernels
