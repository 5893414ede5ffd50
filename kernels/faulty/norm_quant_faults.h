// Norms in front of a quantization gone wrong.
#pragma once

#include "kernels/faulty/group_faults.h"
#include "kernels/faulty/norm_faults.h"
#include "kernels/ops/rms_norm_quant_group/aiter.h"
#include "kernels/ops/rms_norm_quant_group/mx.h"
#include "kernels/ops/rms_norm_quant_static/rms_norm_quant_static.h"

namespace assay_kernels {

/// The same op with another norm, another quantization, or another way of taking a given scale.
template <class Rules, class NormOfRow>
struct AnotherNorm : Rules {
  using Norm = NormOfRow;
};
template <class Rules, class GroupOfRow>
struct GroupAfterNorm : Rules {
  using Group = GroupOfRow;
};
template <class Rules, class GivenScale>
struct GivenAfterNorm : Rules {
  using Given = GivenScale;
};

struct BlockWithoutFloor : VllmNormBlock {
  static float scale(float amax) { return amax / 448.0f; }
};

/// amax times 1/448 where the op divides.
struct BlockByReciprocal : VllmNormBlock {
  static float scale(float amax) { return simt::max_number(amax * (1.0f / 448.0f), kLeastScale); }
};

struct Block240 : VllmNormBlockFnuz {
  static float scale(float amax) { return simt::max_number(amax / 240.0f, 1.0f / (240.0f * 512.0f)); }
  static float clamp(float v) { return clamp_min_max(v, 240.0f); }
};

/// scale_ub bounds the scale, as it does in silu_and_mul_per_block_quant.
struct TokenUbOnScale : VllmPerTokenUb {
  static float scale_within(float amax, float scale_ub) {
    return simt::max_number(simt::min_number(amax / 448.0f, scale_ub), kLeastScale);
  }
};

/// The pitch of transposed scales is the number of rows, whatever their strides say.
struct BlockPitchUnpadded : VllmNormBlock {
  static int64_t place(const ScalesOut& out, int64_t r, int64_t g) { return g * out.rows + r; }
};

/// fp32 scales where the contract has packed ones.
struct PackedLater : UnmaskedPackedMantissas {
  static constexpr bool kPacked = false;
};

struct NormRoundedBeforeCodes : WideNorm {
  static constexpr bool kRoundsOutput = true;
};

/// The 16-bit number that the contract keeps is optimised away.
struct NormNotRoundedBeforeCodes : VllmRmsNorm20260618 {
  static constexpr bool kRoundsOutput = false;
};

struct AddedRounded : VllmDynamicAddNorm {
  static constexpr bool kSquaresRounded = true, kNormalizesRounded = true;
};

struct StaticDivides : VllmStatic {
  using Element = simt::DivideEach;
  static float operand(float /*amax*/, float scale) { return scale; }
};

struct AddedStale : VllmFusedAddRmsNormV0191 {
  static bool stores_residual() { return false; }
};

/// The sigmoid of the gate alone, which other models gate by.
struct GatedBySigmoid : GatedWideNorm {
  static float gate(float g) { return 1.0f / (1.0f + simt::exp_fast(-g)); }
};

/// A floor under the scale, as the Triton kernel of the same op has one.
struct GatedFloorUnderScale : AiterGatedGroupHip {
  static float scale(float amax) { return simt::max_number(amax / 448.0f, 1e-10f); }
};

/// A row of zeros has the scale 0, as behind AITER's quantization by token.
struct NormTokenWithoutFloor : AiterPer1x128 {
  static float amax(float widest) { return widest; }
};

/// The exponent of amax, not of amax / 448.
struct NormMxNoEmax : VllmMxfp8Fused {
  static uint32_t exponent(float amax) {
    const uint32_t e = exponent_ceil(amax);
    return e < 254u ? e : 254u;
  }
};

}  // namespace assay_kernels
