// int8 codes that count from a zero point. Source: vLLM csrc/quantization/w8a8/int8/scaled_quant.cu (180df48e). What a contract
// changes is a struct, as in quant_group/rules.h.
#pragma once

#include "kernels/ops/quant_group/rules.h"

namespace assay_kernels {

struct VllmStaticInt8Azp {
  static constexpr const char* kContract = "vllm.static_int8_azp";
  static constexpr bool kPacked = false;
  using Code = Int8Nearest;
  SIMT_DEVICE static float operand(float scale) { return 1.0f / scale; }
  /// The code before it is limited to int8. Upstream adds plain int32; that sum is meant not to wrap.
  SIMT_DEVICE static int32_t integer(float x, float m, int32_t azp) { return simt::add_sat(simt::to_int32_sat(x * m), azp); }
  SIMT_DEVICE static uint32_t pack(const int32_t* v) { return simt::pack_int8_sat(v[0], v[1], v[2], v[3]); }
};

struct VllmPerTokenInt8Azp : VllmStaticInt8Azp {
  static constexpr const char* kContract = "vllm.per_token_int8_azp";
  static constexpr float kLeastAtFirst = 0x1.fffffep127f, kGreatestAtFirst = -0x1.fffffep127f;
  /// hi + 0 has no sign if it is zero, whichever zero the maximum chose.
  SIMT_DEVICE static float scale(float lo, float hi) { return (hi + 0.0f - lo) / 255.0f; }
  /// A row of one number has the scale 0; upstream's cast is then undefined, and this one limited.
  SIMT_DEVICE static int32_t zero(float lo, float scale) { return simt::to_int32_sat(-128.0f - lo / scale); }
};

/// The range holds 0, so that a row of one number has a scale; a row of zeros counts as one of range 1.
struct AssayPerTokenInt8Azp : VllmPerTokenInt8Azp {
  static constexpr const char* kContract = "assay.per_token_int8_azp";
  static constexpr float kLeastAtFirst = 0.0f, kGreatestAtFirst = 0.0f;
  SIMT_DEVICE static float scale(float lo, float hi) {
    const float s = (hi + 0.0f - lo) / 255.0f;
    return s == 0.0f ? 1.0f : s;
  }
};

}  // namespace assay_kernels
