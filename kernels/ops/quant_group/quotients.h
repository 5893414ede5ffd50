// Codes of many numbers by one scale.
#pragma once

#include <type_traits>

#include "kernels/ops/quant_group/rules.h"

namespace assay_kernels {

/// By the contract's own steps, four codes in a word, the first in the lowest byte.
template <class Rules>
class CodesByElement {
 public:
  SIMT_DEVICE explicit CodesByElement(float operand) : element_(operand) {}

  template <int kElements>
  SIMT_DEVICE void operator()(const float (&v)[kElements], uint32_t (&codes)[kElements / 4]) const {
    float u[kElements];
    SIMT_UNROLL
    for (int i = 0; i < kElements; ++i) u[i] = Rules::clamp(element_(v[i]));
    SIMT_UNROLL
    for (int i = 0; i < kElements / 4; ++i) codes[i] = Rules::Code::encode4(u + 4 * i);
  }

 private:
  typename Rules::Element element_;
};

/// Codes of x / s where the cast bounds them, and a clamp is for NaN alone. A reciprocal below 1 / s and one above it give
/// products on both sides of the quotient, and rounding keeps the order: where both have one code, it is that of the quotient.
/// Elsewhere, within two ulp of a tie and for NaN, it is divided. An exact reciprocal is both bounds, for then ties are many.
/// This is two products for a division, and pays where a thread has one scale.
template <class Rules>
class CodesByBounds {
 public:
  SIMT_DEVICE explicit CodesByBounds(float s) : divide_(s) {
    const uint32_t reciprocal = simt::bits(1.0f / s), inexact = (simt::bits(s) & 0x7fffffu) != 0u ? 1u : 0u;
    low_ = simt::from_bits(reciprocal - inexact);
    high_ = simt::from_bits(reciprocal + inexact);
  }

  template <int kElements>
  SIMT_DEVICE void operator()(const float (&v)[kElements], uint32_t (&codes)[kElements / 4]) const {
    uint32_t doubts = 0;
    SIMT_UNROLL
    for (int i = 0; i < kElements / 4; ++i) {
      codes[i] = codes_of(v + 4 * i, [&](float x) { return x * low_; });
      const uint32_t others = codes_of(v + 4 * i, [&](float x) { return x * high_; });
      doubts |= (codes[i] ^ others) | (((codes[i] & 0x7f7f7f7fu) + 0x01010101u) & 0x80808080u);  // 7f and ff are NaN
    }
    if (doubts == 0u) return;
    SIMT_UNROLL
    for (int i = 0; i < kElements / 4; ++i) codes[i] = codes_of(v + 4 * i, [&](float x) { return Rules::clamp(divide_(x)); });
  }

 private:
  template <class F>
  SIMT_DEVICE static uint32_t codes_of(const float* v, F f) {
    const float u[4] = {f(v[0]), f(v[1]), f(v[2]), f(v[3])};
    return Rules::Code::encode4(u);
  }

  simt::Divide divide_;
  float low_, high_;
};

template <class Rules>
using CodesOfOneScale = std::conditional_t<Rules::kSaturates && std::is_same_v<typename Rules::Element, simt::Divide> &&
                                               std::is_same_v<typename Rules::Code, E4m3fnSat>,
                                           CodesByBounds<Rules>, CodesByElement<Rules>>;

}  // namespace assay_kernels
