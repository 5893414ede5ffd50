// silu(gate) * up, as each project computes it.
// Source: vLLM csrc/libtorch_stable/quantization/fused_kernels/fused_silu_mul_block_quant.cu (09a2bf02) and
// fused_silu_mul_per_token_group_quant.cu (2c1ee57e), csrc/libtorch_stable/quantization/activation_kernels.cu (1a84e5b2),
// fp8_utils.py (007d5005); PyTorch ActivationSiluKernel.cu.
#pragma once

#include "kernels/ops/quant_group/quant_group_rules.h"

namespace assay_kernels {

/// What a contract may change: the formula of the activation, and where it rounds to the type of x.
struct ActivationRules {
  static constexpr bool kRoundsSilu = false;
  static constexpr bool kRoundsProduct = false;
  static constexpr bool kAddsZero = false;  ///< true: adds 0 to the up half, so -0 becomes +0
  /// silu(gate) times up, in fp32.
  SIMT_DEVICE static float product(float silu, float up) { return silu * up; }
  static constexpr bool kDivides = false;  ///< true: silu() divides; up to kModerateGate, silu_of_moderate() gives the same result without branches
};

/// Up to this |gate|, divisions by 1 + exp(-gate) are correct without branches for special values.
inline constexpr float kModerateGate = 80.0f;

/// gate * sigmoid(gate), all in fp32.
struct SiluF32 : ActivationRules {
  static constexpr bool kDivides = true;
  SIMT_DEVICE static float silu(float g) { return g * (1.0f / (1.0f + simt::exp(-g))); }
  SIMT_DEVICE static float silu_of_moderate(float g) { return g * simt::reciprocal_within(1.0f + simt::exp(-g)); }
};

struct SiluFast : ActivationRules {
  SIMT_DEVICE static float silu(float g) { return simt::divide_fast(g, 1.0f + simt::exp_fast(-g)); }
};

/// Used before NVFP4 quantization: rounds silu(gate) * up to the type of x.
/// Source: vLLM csrc/libtorch_stable/quantization/fp4/nvfp4_utils.cuh (20b4ad8e).
struct SiluFastOnce : SiluFast {
  static constexpr bool kRoundsProduct = true;
};

/// Built with -use_fast_math, which flushes subnormals to zero.
/// Source: FlashInfer quantization_utils.cuh (fb28d724), silu_and_mul.
struct FlashinferSiluFast : SiluFastOnce {
  SIMT_DEVICE static float product(float silu, float up) { return flushed(flushed(silu) * flushed(up)); }
};

/// The exponential is approximate (exp_fast); the division is correctly rounded.
/// Source: FlashInfer flashinfer/quantization/quantization_cute_dsl_utils.py (fb28d724).
struct FlashinferSilu : ActivationRules {
  static constexpr bool kRoundsProduct = true;
  static constexpr bool kDivides = true;
  SIMT_DEVICE static float silu(float g) { return g / (1.0f + simt::exp_fast(-g)); }
  SIMT_DEVICE static float silu_of_moderate(float g) { return simt::divide_within(g, 1.0f + simt::exp_fast(-g)); }
};

/// Computes exp(-g) as 2^-(g * log2(e)); g * log2(e) is rounded to fp32. Nothing is rounded to 16 bits.
/// Source: AITER aiter/ops/triton/_triton_kernels/activation.py (e4048607), _silu_exp2.
struct AiterTritonSilu : ActivationRules {
  static constexpr bool kDivides = true;
  SIMT_DEVICE static float silu(float g) { return g / (1.0f + simt::exp2(-(g * 1.44269504089f))); }
  SIMT_DEVICE static float silu_of_moderate(float g) { return simt::divide_within(g, 1.0f + simt::exp2(-(g * 1.44269504089f))); }
};

struct SiluBf16 : ActivationRules {
  static constexpr bool kRoundsSilu = true;
  static constexpr bool kRoundsProduct = true;
  SIMT_DEVICE static float silu(float g) { return simt::divide_fast(g, 1.0f + simt::exp(-g)); }
};

struct SiluOnce : ActivationRules {
  static constexpr bool kRoundsProduct = true;
  static constexpr bool kDivides = true;
  SIMT_DEVICE static float silu(float g) { return g / (1.0f + simt::exp(-g)); }
  SIMT_DEVICE static float silu_of_moderate(float g) { return simt::divide_within(g, 1.0f + simt::exp(-g)); }
};

struct SiluDividesF32 : SiluOnce {
  static constexpr bool kRoundsProduct = false;
};

struct SiluTanh : ActivationRules {
  static constexpr bool kRoundsProduct = true;
  SIMT_DEVICE static float silu(float g) {
    const float half = 0.5f * g;
    return half * (1.0f + simt::tanh_fast(half));
  }
};

/// A Triton division may be off by two ulp; this activation uses the rounded quotient, which is allowed.
struct SiluTriton : SiluBf16 {
  static constexpr bool kDivides = true;
  SIMT_DEVICE static float silu(float g) { return g / (1.0f + simt::exp_fast(-g)); }
  SIMT_DEVICE static float silu_of_moderate(float g) { return simt::divide_within(g, 1.0f + simt::exp_fast(-g)); }
};

/// v0.24.0: beta (0) is added to the up half, so a -0 there becomes +0.
struct SiluTritonV0240 : SiluTriton {
  static constexpr bool kAddsZero = true;
};

struct TorchSilu : SiluOnce {
  static constexpr bool kRoundsSilu = true;
};

/// Rounds silu(gate), and its product with up, to the type of x.
/// Source: vLLM act_and_mul_quant_kernel (v0.33.0).
struct SiluTwice : TorchSilu {};

/// Computes silu of a lane's gates, without branches if no |gate| exceeds kModerateGate.
template <class Activation, class T, int kLoads>
SIMT_DEVICE void silu_of_lane(const LaneWords<kLoads>& gate, float (&v)[8 * kLoads]) {
  gate.template widen_to<T>(v);
  if constexpr (Activation::kDivides) {
    if (widest_number_of<T>(gate.at) <= kModerateGate) {
      SIMT_UNROLL
      for (float& g : v) g = Activation::silu_of_moderate(g);
      return;
    }
  }
  SIMT_UNROLL
  for (float& g : v) g = Activation::silu(g);
}

/// Replaces -0 by +0 in two packed 16-bit elements.
SIMT_DEVICE uint32_t plus_zero(uint32_t pair) {
  const uint32_t low = pair & 0xffffu, high = pair >> 16;
  return (low == 0x8000u ? 0u : low) | (high == 0x8000u ? 0u : high) << 16;
}

/// silu(gate) * up for a lane's elements. A product of two 16-bit elements is exact in fp32, so packed products round once.
template <class Activation, class T, int kLoads>
SIMT_DEVICE void silu_times_up(const LaneWords<kLoads>& gate, const LaneWords<kLoads>& up, float (&v)[8 * kLoads]) {
  constexpr bool kRounds = Activation::kRoundsProduct;
  silu_of_lane<Activation, T>(gate, v);
  SIMT_UNROLL
  for (int i = 0; i < 4 * kLoads; ++i) {
    float &a = v[2 * i], &b = v[2 * i + 1], u, w;
    const uint32_t pair = Activation::kAddsZero ? plus_zero(up.pair(i)) : up.pair(i);
    if constexpr (Activation::kRoundsSilu) {
      const uint32_t silu = simt::pair_from_floats<T>(a, b);
      simt::pair_to_floats<T>(kRounds ? simt::multiply_pairs<T>(silu, pair) : silu, a, b);
      if (kRounds) continue;
    }
    simt::pair_to_floats<T>(pair, u, w);
    a = Activation::product(a, u), b = Activation::product(b, w);
    if (kRounds) simt::pair_to_floats<T>(simt::pair_from_floats<T>(a, b), a, b);
  }
}

}  // namespace assay_kernels
