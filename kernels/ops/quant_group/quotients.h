// Codes of many numbers by one scale.
#pragma once

#include <type_traits>

#include "kernels/ops/quant_group/rules.h"

namespace assay_kernels {

/// The number that a contract casts, by its own steps.
template <class Rules>
class ElementThenClamp {
 public:
  SIMT_DEVICE explicit ElementThenClamp(float operand) : element_(operand) {}
  SIMT_DEVICE float operator()(float v) const { return Rules::clamp(element_(v)); }

 private:
  typename Rules::Element element_;
};

/// Codes of what Step makes of each number, four in a word, the first in the lowest byte.
template <class Code, class Step>
class CodesByStep {
 public:
  SIMT_DEVICE explicit CodesByStep(float operand) : step_(operand) {}

  template <int kElements>
  SIMT_DEVICE void operator()(const float (&v)[kElements], uint32_t (&codes)[kElements / 4]) const {
    float u[kElements];
    SIMT_UNROLL
    for (int i = 0; i < kElements; ++i) u[i] = step_(v[i]);
    SIMT_UNROLL
    for (int i = 0; i < kElements / 4; ++i) codes[i] = Code::encode4(u + 4 * i);
  }

 private:
  Step step_;
};

SIMT_DEVICE uint32_t e4m3fn_of_products(const float* v, float factor) {
  const float u[4] = {v[0] * factor, v[1] * factor, v[2] * factor, v[3] * factor};
  return E4m3fnSat::encode4(u);
}

/// Whether one of four e4m3fn codes is NaN: not 0 then.
SIMT_DEVICE uint32_t nan_codes(uint32_t codes) { return ((codes & 0x7f7f7f7fu) + 0x01010101u) & 0x80808080u; }

/// e4m3fn codes of x * m where the cast bounds them: Step makes them only where there is a NaN, which a clamp may take elsewhere.
template <class Step>
class CodesByProduct {
 public:
  SIMT_DEVICE explicit CodesByProduct(float factor) : factor_(factor) {}

  template <int kElements>
  SIMT_DEVICE void operator()(const float (&v)[kElements], uint32_t (&codes)[kElements / 4]) const {
    uint32_t nans = 0;
    SIMT_UNROLL
    for (int i = 0; i < kElements / 4; ++i) {
      codes[i] = e4m3fn_of_products(v + 4 * i, factor_);
      nans |= nan_codes(codes[i]);
    }
    if (nans == 0u) return;
    const CodesByStep<E4m3fnSat, Step> codes_of(factor_);
    codes_of(v, codes);
  }

 private:
  float factor_;
};

/// e4m3fn codes of x / s where the cast bounds them. A reciprocal below 1 / s and one above it give products on both sides of the
/// quotient, and rounding keeps the order: where both have one code, it is that of the quotient. Elsewhere, within two ulp of a
/// tie and for NaN, Step makes it of x. An exact reciprocal is both bounds, for then ties are many. Holds for every s: where a
/// bound is NaN, as for Inf and most subnormal s, Step makes all. This is two products for a division.
template <class Step>
class CodesByBounds {
 public:
  SIMT_DEVICE explicit CodesByBounds(float s) : divisor_(s) {
    const uint32_t reciprocal = simt::bits(1.0f / s), inexact = (simt::bits(s) & 0x7fffffu) != 0u ? 1u : 0u;
    low_ = simt::from_bits(reciprocal - inexact);
    high_ = simt::from_bits(reciprocal + inexact);
  }

  template <int kElements>
  SIMT_DEVICE void operator()(const float (&v)[kElements], uint32_t (&codes)[kElements / 4]) const {
    uint32_t doubts = 0;
    SIMT_UNROLL
    for (int i = 0; i < kElements / 4; ++i) {
      codes[i] = e4m3fn_of_products(v + 4 * i, low_);
      doubts |= (codes[i] ^ e4m3fn_of_products(v + 4 * i, high_)) | nan_codes(codes[i]);
    }
    if (doubts == 0u) return;
    const CodesByStep<E4m3fnSat, Step> codes_of(divisor_);
    codes_of(v, codes);
  }

 private:
  float divisor_, low_, high_;
};

/// By each number's own steps.
template <class Rules>
using CodesByElement = CodesByStep<typename Rules::Code, ElementThenClamp<Rules>>;

template <class Rules, class Element>
inline constexpr bool kSaturatesAfter =
    Rules::kSaturates && std::is_same_v<typename Rules::Code, E4m3fnSat> && std::is_same_v<typename Rules::Element, Element>;

/// The same codes, sooner where that can be.
template <class Rules>
using CodesOf = std::conditional_t<
    kSaturatesAfter<Rules, simt::Divide>, CodesByBounds<ElementThenClamp<Rules>>,
    std::conditional_t<kSaturatesAfter<Rules, simt::Multiply>, CodesByProduct<ElementThenClamp<Rules>>, CodesByElement<Rules>>>;

/// Of x / s for any given s, as the cast has them.
template <class Code>
using CodesOfQuotients = std::conditional_t<std::is_same_v<Code, E4m3fnSat>, CodesByBounds<simt::DivideEach>,
                                            CodesByStep<Code, simt::DivideSaturating>>;

}  // namespace assay_kernels
