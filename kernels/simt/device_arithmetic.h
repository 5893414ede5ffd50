// Arithmetic that every vendor's header includes after its own basic functions: division of many values by one divisor, and casts
// to 8-bit formats, e8m0 and integers, in branch-free integer code.
#pragma once

namespace simt {

// Division of many values by one divisor: each quotient is correctly rounded, but only one division per divisor is made.

/// x -> x / s, correctly rounded, by two corrections of x * fl(1/s), where fl(1/s) is correctly rounded. The first correction
/// brings the quotient within one ulp; then the last one rounds correctly (Markstein, IBM J. Res. Dev. 34, 1990, theorem 8.2).
/// Valid for 2^-60 <= s < 2^120, s = Inf and NaN, and |x| <= 2^10 s. Quotients below 2^-60 may lose bits but keep their sign.
/// Fma::fma is the machine's fused multiply-add. simt_arithmetic_test.cpp compares with IEEE division.
template <class Fma>
struct DivideByCorrection {
  float divisor, reciprocal;

  /// The corrections use 0 for an infinite divisor, because Inf would give NaN. Thus finite / Inf is 0, and Inf / Inf is NaN.
  SIMT_DEVICE explicit DivideByCorrection(float s)
      : divisor(magnitude(s) == from_bits(0x7f800000u) ? 0.0f : s), reciprocal(1.0f / s) {}

  /// The remainder is q s - x, not x - q s, so that a quotient of -0 keeps its sign.
  SIMT_DEVICE float operator()(float x) const {
    const float rough = x * reciprocal;
    const float near = Fma::fma(-Fma::fma(rough, divisor, -x), reciprocal, rough);
    return Fma::fma(-Fma::fma(near, divisor, -x), reciprocal, near);
  }
};

/// 1 / d for 2^-126 <= d <= 2^126 and NaN, by one correction of `rough`, an approximation within one ulp. The result is
/// correctly rounded, except if all mantissa bits of d are ones: then it depends on `rough` (Markstein, as above).
template <class Fma>
SIMT_DEVICE float corrected_reciprocal(float d, float rough) {
  return Fma::fma(rough, Fma::fma(-d, rough, 1.0f), rough);
}

/// x / d, correctly rounded, for x with at most 11 significant bits, 2^-126 <= d <= 2^120, and |x| <= 2^10 d. One correction of
/// the product by fl(1/d) is enough; checked on an H200 for all pairs of the 2^10 mantissas of x and the 2^23 mantissas of d.
template <class Fma>
SIMT_DEVICE float corrected_quotient(float x, float d, float reciprocal) {
  const float rough = x * reciprocal;
  return Fma::fma(-Fma::fma(rough, d, -x), reciprocal, rough);
}

/// x -> x / s for any s and x. Quotients above 2^10 may be inexact, so it serves only casts that saturate below 2^10.
template <class Fma>
struct DivideSaturatingByCorrection : DivideByCorrection<Fma> {
  float given;
  bool in_domain;  ///< true if the correction is valid for s
  SIMT_DEVICE explicit DivideSaturatingByCorrection(float s)
      : DivideByCorrection<Fma>(s),
        given(s),
        in_domain(magnitude(s) >= 0x1p-60f && !(magnitude(s) >= 0x1p120f && magnitude(s) < from_bits(0x7f800000u))) {}
  SIMT_DEVICE float operator()(float x) const {
    if (!in_domain) return x / given;
    const float rough = x * this->reciprocal;
    return magnitude(rough) < 1024.0f ? DivideByCorrection<Fma>::operator()(x) : rough;  // NaN stays NaN
  }
};

/// x -> x / s by the compiler's division for each x. It is used where the correction would give NaN, such as for Inf / s with finite s. (With the correction,
/// an H200 cast -Inf to +448.)
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

// FP8 casts in branch-free integer code, for machines without a cast instruction: round to nearest, ties to even.

/// Returns `first ? a : b` by masks. With ?: in loops of casts, compilers would branch around an addition.
SIMT_DEVICE uint32_t choose(bool first, uint32_t a, uint32_t b) { return b ^ ((a ^ b) & (0u - uint32_t(first))); }

/// The code of a float's magnitude in a format with kMantissa mantissa bits and bias kBias, without an upper limit. `rest`: the
/// float's bits without sign. Normal values: the mantissa is rounded in place, then the exponent is shifted. Subnormal values:
/// adding 2^(24-kBias-kMantissa) rounds, because the last bit of this number is the format's smallest step, 2^(1-kBias-kMantissa).
template <int kMantissa, int kBias>
SIMT_DEVICE uint32_t fp8_magnitude(uint32_t rest) {
  constexpr float kAnchor = float(1 << (24 - kBias - kMantissa));
  constexpr int kDropped = 23 - kMantissa;
  const uint32_t rounded = (rest + ((1u << (kDropped - 1)) - 1u) + (rest >> kDropped & 1u)) >> kDropped;
  const uint32_t normal = rounded - (uint32_t(127 - kBias) << kMantissa);
  const uint32_t small = bits(from_bits(rest) + kAnchor) - bits(kAnchor);
  return choose(rest < (uint32_t(128 - kBias) << 23), small, normal);
}

/// e4m3fn of OCP: 0x7f is NaN, 448 the largest value. `above`: code of larger values. `nan_sign`: 0x80 if NaN keeps its sign.
SIMT_DEVICE uint8_t e4m3fn_bits(float value, uint32_t above, uint32_t nan_sign) {
  const uint32_t b = bits(value), rest = b & 0x7fffffffu, sign = b >> 24 & 0x80u;
  const uint32_t code = fp8_magnitude<3, 7>(rest);
  const uint32_t number = sign | choose(code > 0x7eu, above, code);
  return uint8_t(choose(rest > 0x7f800000u, 0x7fu | (sign & nan_sign), number));
}

/// Saturates at 448. NaN becomes 0x7f without its sign, as with cvt.rn.satfinite.
SIMT_DEVICE uint8_t e4m3fn_bits_sat(float value) { return e4m3fn_bits(value, 0x7e, 0); }

/// Values beyond 464, the midpoint of 448 and 480, become NaN, as in torch before 2.13.
SIMT_DEVICE uint8_t e4m3fn_bits_nosat(float value) { return e4m3fn_bits(value, 0x7f, 0x80); }

/// e4m3fnuz: bias 8, 0x80 is NaN, no negative zero, 240 is the largest value; saturates.
SIMT_DEVICE uint8_t e4m3fnuz_bits_sat(float value) {
  const uint32_t b = bits(value), rest = b & 0x7fffffffu;
  const uint32_t code = fp8_magnitude<3, 8>(rest);
  const uint32_t limited = choose(code > 0x7fu, 0x7fu, code);
  const uint32_t sign = choose(limited == 0u, 0u, b >> 24 & 0x80u);
  return uint8_t(choose(rest > 0x7f800000u, 0x80u, sign | limited));
}

// Casts to e5m2, to the fnuz formats without saturation, to e8m0, int8 and int32, in branch-free integer code.

/// e5m2 of OCP: 0x7c is Inf, 57344 the largest value. `above`, `nan_sign`: as in e4m3fn_bits().
SIMT_DEVICE uint8_t e5m2_bits(float value, uint32_t above, uint32_t nan_sign) {
  const uint32_t b = bits(value), rest = b & 0x7fffffffu, sign = b >> 24 & 0x80u;
  const uint32_t code = fp8_magnitude<2, 15>(rest);
  const uint32_t number = sign | choose(code > 0x7bu, above, code);
  return uint8_t(choose(rest > 0x7f800000u, 0x7fu | (sign & nan_sign), number));
}

/// Saturates at 57344. NaN becomes 0x7f without its sign, as with cvt.rn.satfinite.
SIMT_DEVICE uint8_t e5m2_bits_sat(float value) { return e5m2_bits(value, 0x7b, 0); }

/// Magnitudes >= 61440 become Inf; NaN keeps its sign, as in torch.
SIMT_DEVICE uint8_t e5m2_bits_nosat(float value) { return e5m2_bits(value, 0x7c, 0x80); }

/// Casts to e4m3fnuz or e5m2fnuz. Values beyond the largest one become 0x80, the only NaN. There is no negative zero.
template <int kMantissa, int kBias>
SIMT_DEVICE uint8_t fnuz_bits_nosat(float value) {
  const uint32_t b = bits(value);
  const uint32_t code = fp8_magnitude<kMantissa, kBias>(b & 0x7fffffffu);
  const uint32_t sign = choose(code == 0u, 0u, b >> 24 & 0x80u);
  return uint8_t(choose(code > 0x7fu, 0x80u, sign | code));
}

/// The exponent field of |value|: rounds to a power of two toward zero; saturates at 2^127. NaN gives 0xff.
SIMT_DEVICE uint8_t e8m0_bits_rz_sat(float value) {
  const uint32_t rest = bits(value) & 0x7fffffffu, field = rest >> 23;
  return uint8_t(choose(rest > 0x7f800000u, 0xffu, choose(field > 0xfeu, 0xfeu, field)));
}

/// The exponent field of |value|, rounded up to a power of two. 0x400000 is the float 2^-127, whose code is 0.
SIMT_DEVICE uint8_t e8m0_bits_rp_sat(float value) {
  const uint32_t rest = bits(value) & 0x7fffffffu;
  const uint32_t field = rest <= 0x400000u ? 0u : (rest + 0x7fffffu) >> 23;
  return uint8_t(choose(rest > 0x7f800000u, 0xffu, choose(field > 0xfeu, 0xfeu, field)));
}

/// The exponent field of |value|, rounded to the nearest power of two; a mantissa of 1.5 rounds up. Beyond 2^127: NaN.
SIMT_DEVICE uint8_t e8m0_bits_nearest(float value) {
  const uint32_t rest = bits(value) & 0x7fffffffu;
  const uint32_t field = rest <= 0x400000u ? 0u : (rest + 0x400000u) >> 23;
  return uint8_t(rest > 0x7f800000u ? 0xffu : field);
}

/// Rounds to nearest, ties to even, and saturates; NaN becomes 0.
SIMT_DEVICE uint8_t int8_bits_sat(float value) {
  constexpr float kAnchor = 0x1.8p23f;  // its last mantissa bit is worth 1, so the addition rounds to an integer
  const uint32_t b = bits(value), rest = b & 0x7fffffffu;
  const bool beyond = rest >= 0x43000000u;  // 128
  const uint32_t rounded = bits(from_bits(choose(beyond, 0u, b)) + kAnchor) - bits(kAnchor);
  const uint32_t code = choose(beyond, 0x7fu + (b >> 31), choose(rounded == 128u, 127u, rounded));
  return uint8_t(choose(rest > 0x7f800000u, 0u, code));
}

/// rna: rounds to nearest, ties away from zero. rz: toward zero. Both saturate, and NaN becomes 0: int8_limits() does both before
/// the conversion to int32.
SIMT_DEVICE float int8_limits(float value) { return value != value ? 0.0f : min_number(max_number(value, -128.0f), 127.0f); }
SIMT_DEVICE uint8_t int8_bits_rz_sat(float value) { return uint8_t(int32_t(int8_limits(value))); }
SIMT_DEVICE uint8_t int8_bits_rna_sat(float value) {
  const float v = int8_limits(value), whole = float(int32_t(v));
  const float rest = v - whole;  // exact
  return uint8_t(int32_t(whole) + (rest >= 0.5f ? 1 : 0) - (rest <= -0.5f ? 1 : 0));
}

/// Rounds to nearest, ties to even, and saturates; NaN becomes 0.
SIMT_DEVICE int32_t int32_bits_sat(float value) {
  const float anchor = value < 0.0f ? -0x1p23f : 0x1p23f;  // floats >= 2^23 are integers, so the addition rounds
  if (value != value) return 0;
  if (value >= 0x1p31f) return 0x7fffffff;
  if (value <= -0x1p31f) return -0x7fffffff - 1;
  return int32_t(magnitude(value) < 0x1p23f ? (value + anchor) - anchor : value);
}

/// The sum of two integers, saturated to int32.
SIMT_DEVICE int32_t sum_sat(int32_t a, int32_t b) {
  const int64_t sum = int64_t{a} + b;
  return sum > 0x7fffffff ? 0x7fffffff : sum < -0x7fffffffLL - 1 ? -0x7fffffff - 1 : int32_t(sum);
}

/// The low byte of an integer clamped to -128 .. 127.
SIMT_DEVICE uint8_t int8_bits_of_int32_sat(int32_t v) { return uint8_t(v > 127 ? 127 : v < -128 ? -128 : v); }

}  // namespace simt
