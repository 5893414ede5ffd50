// silu(gate) times up, as the projects write it. Sources, vLLM: csrc/libtorch_stable/quantization/fused_kernels/
// fused_silu_mul_block_quant.cu (09a2bf02) and fused_silu_mul_per_token_group_quant.cu (2c1ee57e),
// csrc/libtorch_stable/quantization/ activation_kernels.cu (1a84e5b2), fp8_utils.py (007d5005); PyTorch: ActivationSiluKernel.cu.
#pragma once

#include "kernels/simt/simt.h"

namespace assay_kernels {

/// What an activation changes: its formula, and where it rounds to the type of x.
struct ActivationRules {
  static constexpr bool kRoundsSilu = false;
  static constexpr bool kRoundsProduct = false;
};

/// The gate times its sigmoid, all in fp32.
struct SiluF32 : ActivationRules {
  SIMT_DEVICE static float silu(float g) { return g * (1.0f / (1.0f + simt::exp(-g))); }
};

struct SiluFast : ActivationRules {
  SIMT_DEVICE static float silu(float g) { return simt::divide_fast(g, 1.0f + simt::exp_fast(-g)); }
};

struct SiluBf16 : ActivationRules {
  static constexpr bool kRoundsSilu = true;
  static constexpr bool kRoundsProduct = true;
  SIMT_DEVICE static float silu(float g) { return simt::divide_fast(g, 1.0f + simt::exp(-g)); }
};

struct SiluOnce : ActivationRules {
  static constexpr bool kRoundsProduct = true;
  SIMT_DEVICE static float silu(float g) { return g / (1.0f + simt::exp(-g)); }
};

struct SiluTanh : SiluOnce {
  SIMT_DEVICE static float silu(float g) {
    const float half = 0.5f * g;
    return half * (1.0f + simt::tanh_fast(half));
  }
};

/// A Triton division may be off by two ulp; the quotient is one of its legal results.
struct SiluTriton : SiluBf16 {
  SIMT_DEVICE static float silu(float g) { return g / (1.0f + simt::exp_fast(-g)); }
};

struct TorchSilu : SiluBf16 {
  SIMT_DEVICE static float silu(float g) { return SiluOnce::silu(g); }
};

/// Every number to T and back.
template <class T>
SIMT_DEVICE void round_to_type(float (&v)[8]) {
  SIMT_UNROLL
  for (int i = 0; i < 8; i += 2) {
    T a, b;
    simt::from_floats(v[i], v[i + 1], a, b);
    v[i] = simt::to_float(a);
    v[i + 1] = simt::to_float(b);
  }
}

/// The products of one load.
template <class Activation, class T>
SIMT_DEVICE void silu_times_up(const simt::Vector<T>& gate, const simt::Vector<T>& up, float (&v)[8]) {
  SIMT_UNROLL
  for (int i = 0; i < 8; ++i) v[i] = Activation::silu(simt::to_float(gate.at[i]));
  if constexpr (Activation::kRoundsSilu) round_to_type<T>(v);
  SIMT_UNROLL
  for (int i = 0; i < 8; ++i) v[i] *= simt::to_float(up.at[i]);
  if constexpr (Activation::kRoundsProduct) round_to_type<T>(v);
}

}  // namespace assay_kernels
