// Which activation meets which group quantization.
#pragma once

#include "kernels/ops/quant_group/vllm.h"
#include "kernels/ops/silu_mul_quant_group/activations.h"

namespace assay_kernels {

/// The group half of silu_and_mul_per_block_quant: no floor under amax, one under the scale.
struct SiluBlock : GroupRules {
  static constexpr bool kSaturates = true;
  SIMT_DEVICE static float amax(float widest) { return widest; }
  SIMT_DEVICE static float scale(float amax) { return simt::max_number(amax / 448.0f, kLeastScale); }
  SIMT_DEVICE static float clamp(float v) { return clamp_min_max(v, 448.0f); }
};

/// scale_ub bounds the scale here: then x / s may be anything.
struct SiluBlockUb : SiluBlock {
  using Element = simt::DivideEach;
  static constexpr bool kBounded = true;
  /// The maximum begins with an element: of NaN alone it is NaN, and the bound drops that.
  SIMT_DEVICE static float widest_of_none() { return simt::from_bits(0x7fc00000u); }
  SIMT_DEVICE static float scale_within(float amax, float scale_ub) {
    return simt::max_number(simt::min_number(amax / 448.0f, scale_ub), kLeastScale);
  }
};

struct SiluBlockFnuz : SiluBlock {
  using Code = E4m3fnuzSat;
  SIMT_DEVICE static float scale(float amax) { return simt::max_number(amax / 224.0f, 1.0f / (224.0f * 512.0f)); }
  SIMT_DEVICE static float clamp(float v) { return clamp_min_max(v, 224.0f); }
};

/// Batch-invariant, rounded scales: the exponent by bits, no floor under the scale.
struct GroupRounded : GroupRules {
  using Element = simt::Multiply;
  SIMT_DEVICE static float amax(float widest) { return simt::max_number(widest, 1e-10f); }
  SIMT_DEVICE static float scale(float amax) { return pow2_ceil(amax * (1.0f / 448.0f)); }
  SIMT_DEVICE static float operand(float /*amax*/, float scale) { return pow2_reciprocal(scale); }
  SIMT_DEVICE static float clamp(float v) { return simt::max_number(v, -448.0f); }
};

struct GroupUe8m0x4 : GroupRounded {
  static constexpr bool kPacked = true;
};

/// A contract: an activation and a group quantization. A faulty kernel derives from one and replaces a half.
template <class ActivationRules, class GroupRulesOfIt>
struct SiluGroup {
  using Activation = ActivationRules;
  using Group = GroupRulesOfIt;
  static constexpr bool kPacked = Group::kPacked;
  static constexpr bool kGateFirst = true;  ///< of the two halves of a row
};

struct VllmSiluPerBlock : SiluGroup<SiluF32, SiluBlock> {
  static constexpr const char* kContract = "vllm.silu_and_mul_per_block_quant";
};
struct VllmSiluPerBlockUb : SiluGroup<SiluF32, SiluBlockUb> {
  static constexpr const char* kContract = "vllm.silu_and_mul_per_block_quant_ub";
};
struct VllmSiluPerBlockFnuz : SiluGroup<SiluF32, SiluBlockFnuz> {
  static constexpr const char* kContract = "vllm.silu_and_mul_per_block_quant_fnuz";
};

struct VllmFusedSilu : SiluGroup<SiluOnce, VllmGroupFp8> {
  static constexpr const char* kContract = "vllm.fused_silu_mul_group";
};
struct VllmFusedSiluRounded : SiluGroup<SiluOnce, GroupRounded> {
  static constexpr const char* kContract = "vllm.fused_silu_mul_group_rounded";
};
struct VllmFusedSiluUe8m0x4 : SiluGroup<SiluOnce, GroupUe8m0x4> {
  static constexpr const char* kContract = "vllm.fused_silu_mul_group_ue8m0x4";
};
struct VllmFusedSiluSm100 : SiluGroup<SiluTanh, VllmGroupFp8> {
  static constexpr const char* kContract = "vllm.fused_silu_mul_group_sm100";
};
struct VllmFusedSiluRoundedSm100 : SiluGroup<SiluTanh, GroupRounded> {
  static constexpr const char* kContract = "vllm.fused_silu_mul_group_rounded_sm100";
};
struct VllmFusedSiluUe8m0x4Sm100 : SiluGroup<SiluTanh, GroupUe8m0x4> {
  static constexpr const char* kContract = "vllm.fused_silu_mul_group_ue8m0x4_sm100";
};
struct VllmSiluColmajor : SiluGroup<SiluTriton, VllmGroupTriton> {
  static constexpr const char* kContract = "vllm.silu_mul_colmajor";
};
struct VllmSiluColmajorUe8m0 : SiluGroup<SiluTriton, VllmGroupTritonUe8m0> {
  static constexpr const char* kContract = "vllm.silu_mul_colmajor_ue8m0";
};
struct VllmSiluColmajorV0190 : SiluGroup<SiluTriton, VllmGroupTritonV0190> {
  static constexpr const char* kContract = "vllm.silu_mul_colmajor@v0.19.0";
};
struct VllmSiluColmajorUe8m0V0190 : SiluGroup<SiluTriton, VllmGroupTritonUe8m0V0190> {
  static constexpr const char* kContract = "vllm.silu_mul_colmajor_ue8m0@v0.19.0";
};
struct VllmSiluColmajorV0240 : SiluGroup<SiluTritonV0240, VllmGroupTritonV0190> {
  static constexpr const char* kContract = "vllm.silu_mul_colmajor@v0.24.0";
};
struct VllmSiluColmajorUe8m0V0240 : SiluGroup<SiluTritonV0240, VllmGroupTritonUe8m0V0190> {
  static constexpr const char* kContract = "vllm.silu_mul_colmajor_ue8m0@v0.24.0";
};
struct TorchSiluGroup : SiluGroup<TorchSilu, VllmGroupFp8> {
  static constexpr const char* kContract = "torch.silu_mul_group_fp8";
};

// vLLM PR 46273, fused_silu_mul_per_token_quant.cu.
struct VllmSiluPerToken : SiluGroup<SiluDividesF32, VllmPerToken> {
  static constexpr const char* kContract = "vllm.silu_and_mul_per_token_quant";
};
struct VllmSiluPerTokenUb : SiluGroup<SiluDividesF32, VllmPerTokenUb> {
  static constexpr const char* kContract = "vllm.silu_and_mul_per_token_quant_ub";
};
struct VllmSiluPerTokenRounded : SiluGroup<SiluTwice, VllmPerToken> {
  static constexpr const char* kContract = "vllm.silu_and_mul_per_token_quant_rounded";
};

using SiluGroupList = RulesList<VllmSiluPerBlock, VllmSiluPerBlockUb, VllmSiluPerBlockFnuz, VllmFusedSilu, VllmFusedSiluRounded,
                                VllmFusedSiluUe8m0x4, VllmFusedSiluSm100, VllmFusedSiluRoundedSm100, VllmFusedSiluUe8m0x4Sm100,
                                VllmSiluColmajor, VllmSiluColmajorUe8m0, VllmSiluColmajorV0190, VllmSiluColmajorUe8m0V0190,
                                VllmSiluColmajorV0240, VllmSiluColmajorUe8m0V0240, TorchSiluGroup>;

}  // namespace assay_kernels
