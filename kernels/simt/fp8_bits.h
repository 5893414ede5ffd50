// FP8 casts in integer code without branches, for machines without the instruction: round to nearest, ties to even.
#pragma once

namespace simt {

/// a or b by masks: loops of casts stay free of branches, which a compiler would not take out of the way of an addition.
SIMT_DEVICE uint32_t choose(bool first, uint32_t a, uint32_t b) { return b ^ ((a ^ b) & (0u - uint32_t(first))); }

/// Magnitude code of |value| in a format with kMantissa mantissa bits and that bias, not limited at the top.
/// Normal numbers: round the float's mantissa in place, then move the exponent. Subnormal numbers: adding 2^(24-kBias-kMantissa)
/// puts the float's last bit at the format's smallest step, 2^(1-kBias-kMantissa), and the addition itself rounds.
template <int kMantissa, int kBias>
SIMT_DEVICE uint32_t fp8_magnitude(uint32_t rest) {
  constexpr float kAnchor = float(1 << (24 - kBias - kMantissa));
  constexpr int kDropped = 23 - kMantissa;
  const uint32_t rounded = (rest + ((1u << (kDropped - 1)) - 1u) + (rest >> kDropped & 1u)) >> kDropped;
  const uint32_t normal = rounded - (uint32_t(127 - kBias) << kMantissa);
  const uint32_t small = bits(from_bits(rest) + kAnchor) - bits(kAnchor);
  return choose(rest < (uint32_t(128 - kBias) << 23), small, normal);
}

/// OCP e4m3fn: 0x7f is NaN, 448 the largest number.
SIMT_DEVICE uint8_t e4m3fn_bits(float value, uint32_t above, uint32_t nan_sign) {
  const uint32_t b = bits(value), rest = b & 0x7fffffffu, sign = b >> 24 & 0x80u;
  const uint32_t code = fp8_magnitude<3, 7>(rest);
  const uint32_t number = sign | choose(code > 0x7eu, above, code);
  return uint8_t(choose(rest > 0x7f800000u, 0x7fu | (sign & nan_sign), number));
}

/// Beyond 448 the largest number. NaN is 0x7f without its sign, as cvt.rn.satfinite gives it.
SIMT_DEVICE uint8_t e4m3fn_bits_sat(float value) { return e4m3fn_bits(value, 0x7e, 0); }

/// Beyond the tie 464 NaN, as torch casts (before 2.13).
SIMT_DEVICE uint8_t e4m3fn_bits_nosat(float value) { return e4m3fn_bits(value, 0x7f, 0x80); }

/// e4m3fnuz: bias 8, 0x80 is NaN, no negative zero, 240 the largest number; saturates.
SIMT_DEVICE uint8_t e4m3fnuz_bits_sat(float value) {
  const uint32_t b = bits(value), rest = b & 0x7fffffffu;
  const uint32_t code = fp8_magnitude<3, 8>(rest);
  const uint32_t limited = choose(code > 0x7fu, 0x7fu, code);
  const uint32_t sign = choose(limited == 0u, 0u, b >> 24 & 0x80u);
  return uint8_t(choose(rest > 0x7f800000u, 0x80u, sign | limited));
}

}  // namespace simt
