// MXFP8 as vLLM makes it. Sources: mxfp8_experts_quant.cuh (3240a1e4), mxfp8_utils.py (v0.26.0, v0.27.0, v0.30.0).
#pragma once

#include "kernels/ops/quant_mx/flashinfer.h"

namespace assay_kernels {

/// The guard looks at amax, not at the scale, so that a tiny block is multiplied by 1 / 0.
struct VllmMxfp8Experts : FlashinferMxfp8Cute {
  static constexpr const char* kContract = "vllm.mxfp8_experts";
  static constexpr bool kWritesAbsentRows = false;
  SIMT_DEVICE static float multiplier(float amax, uint32_t e) {
    if (amax == 0.0f || e == 254u) return 0.0f;
    return e == 0u ? simt::from_bits(0x7f800000u) : e8m0_reciprocal(e);
  }
};

/// The exponent of amax itself. The byte of a block with NaN is not specified.
struct VllmMxfp8Torch : MxRules {
  static constexpr const char* kContract = "vllm.mxfp8_torch";
  using Code = E4m3fnNosat;
  SIMT_DEVICE static float widest(float a, float b) { return simt::max_or_nan(a, b); }
  SIMT_DEVICE static float amax(float widest) { return simt::max_or_nan(widest, 0x1p-126f); }
  SIMT_DEVICE static uint32_t exponent(float amax) {
    const uint32_t e = simt::bits(amax) >> 23;
    return e < 254u ? e : 254u;
  }
};

/// amax / 448 is a product on a GPU, and its exponent is that of a logarithm rounded up.
struct VllmMxfp8TorchV0270 : VllmMxfp8Torch {
  static constexpr const char* kContract = "vllm.mxfp8_torch@v0.27.0";
  using Code = E4m3fnSat;
  SIMT_DEVICE static uint32_t exponent(float amax) {
    const float e = simt::ceil(simt::log2(amax * (1.0f / 448.0f))) + 127.0f;
    return e <= 0.0f ? 0u : e < 254.0f ? uint32_t(e) : 254u;
  }
};

/// Triton: a NaN is dropped by the maximum; the exponent of the logarithm, rounded up. No padding is written.
struct VllmMxfp8Triton : MxRules {
  static constexpr bool kWritesPadding = false;
  SIMT_DEVICE static uint32_t exponent(float amax) { return VllmMxfp8TorchV0270::exponent(amax); }
};

/// The divisor is made by ex2.approx.ftz: byte 0 divides by 0.
struct VllmMxfp8TritonV0270 : VllmMxfp8Triton {
  static constexpr const char* kContract = "vllm.mxfp8_triton@v0.27.0";
  SIMT_DEVICE static float amax(float widest) { return simt::max_number(widest, 0x1p-126f); }
  SIMT_DEVICE static float multiplier(float /*amax*/, uint32_t e) {
    return e == 0u ? simt::from_bits(0x7f800000u) : e8m0_reciprocal(e);
  }
};

/// And so is the factor: that of byte 254 is 0.
struct VllmMxfp8TritonV0300 : VllmMxfp8TritonV0270 {
  static constexpr const char* kContract = "vllm.mxfp8_triton@v0.30.0";
  SIMT_DEVICE static float multiplier(float /*amax*/, uint32_t e) { return e == 254u ? 0.0f : e8m0_reciprocal(e); }
};

/// Behind an activation or a norm: nothing bounds amax, and a block of zeros is divided by 1.
struct VllmMxfp8Fused : VllmMxfp8Triton {
  SIMT_DEVICE static float multiplier(float amax, uint32_t e) {
    if (amax == 0.0f) return 1.0f;
    return e == 0u ? simt::from_bits(0x7f800000u) : e8m0_reciprocal(e);
  }
};

}  // namespace assay_kernels
