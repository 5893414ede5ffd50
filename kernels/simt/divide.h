// Many numbers by one divisor: each quotient correctly rounded, at the price of one division a divisor.
#pragma once

namespace simt {

/// x -> x / s, rounded once, by two corrections of x * fl(1/s). With a correctly rounded reciprocal and a quotient within one
/// ulp, the last correction rounds correctly (Markstein, IBM J. Res. Dev. 34, 1990, theorem 8.2); the first brings it within one
/// ulp. Holds for 2^-60 <= s < 2^120, s = Inf, and NaN, and for |x| <= 2^10 s; quotients below 2^-60 may lose bits but not their
/// sign. Fma::fma is the machine's fused multiply-add. A test compares this with IEEE division.
template <class Fma>
struct DivideByCorrection {
  float divisor, reciprocal;

  /// For Inf the divisor is taken as 0 in the corrections, where Inf would give NaN: finite / Inf stays 0, Inf / Inf stays NaN.
  SIMT_DEVICE explicit DivideByCorrection(float s)
      : divisor(magnitude(s) == from_bits(0x7f800000u) ? 0.0f : s), reciprocal(1.0f / s) {}

  /// The remainder is taken as q s - x, not x - q s: so a quotient of -0 keeps its sign.
  SIMT_DEVICE float operator()(float x) const {
    const float rough = x * reciprocal;
    const float near = Fma::fma(-Fma::fma(rough, divisor, -x), reciprocal, rough);
    return Fma::fma(-Fma::fma(near, divisor, -x), reciprocal, near);
  }
};

/// 1 / d for 2^-126 <= d <= 2^126 and NaN, by one correction of an approximation within one ulp: rounded once, but for a d whose
/// significand is ones alone, where it hangs on the approximation (Markstein, as above).
template <class Fma>
SIMT_DEVICE float corrected_reciprocal(float d, float rough) {
  return Fma::fma(rough, Fma::fma(-d, rough, 1.0f), rough);
}

/// x / d, rounded once, for an x of at most 11 significant bits, d as above up to 2^120 and |x| <= 2^10 d: one correction of the
/// product by fl(1/d) is enough then. So it is for each of the 2^10 significands of such x and the 2^23 of d (run on an H200).
template <class Fma>
SIMT_DEVICE float corrected_quotient(float x, float d, float reciprocal) {
  const float rough = x * reciprocal;
  return Fma::fma(-Fma::fma(rough, d, -x), reciprocal, rough);
}

/// x -> x / s for any s and x where quotients beyond 2^10 only have to be as large: codes that saturate do not tell them apart.
template <class Fma>
struct DivideSaturatingByCorrection : DivideByCorrection<Fma> {
  float given;
  bool in_domain;  ///< of the correction; the same for all x
  SIMT_DEVICE explicit DivideSaturatingByCorrection(float s)
      : DivideByCorrection<Fma>(s),
        given(s),
        in_domain(magnitude(s) >= 0x1p-60f && !(magnitude(s) >= 0x1p120f && magnitude(s) < from_bits(0x7f800000u))) {}
  SIMT_DEVICE float operator()(float x) const {
    if (!in_domain) return x / given;
    const float rough = x * this->reciprocal;
    return magnitude(rough) < 1024.0f ? DivideByCorrection<Fma>::operator()(x) : rough;  // NaN stays
  }
};

/// x -> x / s by the machine's own division: for quotients outside the domain above, such as Inf / s under a bound of the scale.
/// There the correction gives NaN (seen on an H200: +448 for -Inf).
struct DivideEach {
  float divisor;
  SIMT_DEVICE explicit DivideEach(float s) : divisor(s) {}
  SIMT_DEVICE float operator()(float x) const { return x / divisor; }
};

struct Multiply {
  float factor;
  SIMT_DEVICE explicit Multiply(float f) : factor(f) {}
  SIMT_DEVICE float operator()(float x) const { return x * factor; }
};

}  // namespace simt
