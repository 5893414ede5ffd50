// Casts to e5m2, to the fnuz formats without saturation, to e8m0 and to int8 in integer code without branches; to int32.
#pragma once

namespace simt {

/// e5m2: Inf is 0x7c, 57344 the largest number.
SIMT_DEVICE uint8_t e5m2_bits(float value, uint32_t above, uint32_t nan_sign) {
  const uint32_t b = bits(value), rest = b & 0x7fffffffu, sign = b >> 24 & 0x80u;
  const uint32_t code = fp8_magnitude<2, 15>(rest);
  const uint32_t number = sign | choose(code > 0x7bu, above, code);
  return uint8_t(choose(rest > 0x7f800000u, 0x7fu | (sign & nan_sign), number));
}

/// Beyond 57344 the largest number. NaN is 0x7f without its sign, as cvt.rn.satfinite gives it.
SIMT_DEVICE uint8_t e5m2_bits_sat(float value) { return e5m2_bits(value, 0x7b, 0); }

/// From 61440 on Inf; NaN keeps its sign, as in torch.
SIMT_DEVICE uint8_t e5m2_bits_nosat(float value) { return e5m2_bits(value, 0x7c, 0x80); }

/// Beyond the largest number the one NaN, 0x80; no negative zero.
template <int kMantissa, int kBias>
SIMT_DEVICE uint8_t fnuz_bits_nosat(float value) {
  const uint32_t b = bits(value);
  const uint32_t code = fp8_magnitude<kMantissa, kBias>(b & 0x7fffffffu);
  const uint32_t sign = choose(code == 0u, 0u, b >> 24 & 0x80u);
  return uint8_t(choose(code > 0x7fu, 0x80u, sign | code));
}

/// Exponent of |value|, rounded toward zero; 2^127 is the largest.
SIMT_DEVICE uint8_t e8m0_bits_rz_sat(float value) {
  const uint32_t rest = bits(value) & 0x7fffffffu, field = rest >> 23;
  return uint8_t(choose(rest > 0x7f800000u, 0xffu, choose(field > 0xfeu, 0xfeu, field)));
}

/// The same rounded up. 2^-127 is half of the smallest float that has a field of its own.
SIMT_DEVICE uint8_t e8m0_bits_rp_sat(float value) {
  const uint32_t rest = bits(value) & 0x7fffffffu;
  const uint32_t field = rest <= 0x400000u ? 0u : (rest + 0x7fffffu) >> 23;
  return uint8_t(choose(rest > 0x7f800000u, 0xffu, choose(field > 0xfeu, 0xfeu, field)));
}

/// To nearest, 1.5 goes up; beyond 2^127 NaN.
SIMT_DEVICE uint8_t e8m0_bits_nearest(float value) {
  const uint32_t rest = bits(value) & 0x7fffffffu;
  const uint32_t field = rest <= 0x400000u ? 0u : (rest + 0x400000u) >> 23;
  return uint8_t(rest > 0x7f800000u ? 0xffu : field);
}

/// To nearest, ties to even, limited; NaN is 0.
SIMT_DEVICE uint8_t int8_bits_sat(float value) {
  constexpr float kAnchor = 0x1.8p23f;  // its last bit is 1: the addition rounds
  const uint32_t b = bits(value), rest = b & 0x7fffffffu;
  const bool beyond = rest >= 0x43000000u;  // 128
  const uint32_t rounded = bits(from_bits(choose(beyond, 0u, b)) + kAnchor) - bits(kAnchor);
  const uint32_t code = choose(beyond, 0x7fu + (b >> 31), choose(rounded == 128u, 127u, rounded));
  return uint8_t(choose(rest > 0x7f800000u, 0u, code));
}

/// To nearest with ties away from zero, or toward zero; limited; NaN is 0. An int32 of what is limited first needs no other
/// check.
SIMT_DEVICE float int8_limits(float value) { return value != value ? 0.0f : min_number(max_number(value, -128.0f), 127.0f); }
SIMT_DEVICE uint8_t int8_bits_rz_sat(float value) { return uint8_t(int32_t(int8_limits(value))); }
SIMT_DEVICE uint8_t int8_bits_rna_sat(float value) {
  const float v = int8_limits(value), whole = float(int32_t(v));
  const float rest = v - whole;  // exact
  return uint8_t(int32_t(whole) + (rest >= 0.5f ? 1 : 0) - (rest <= -0.5f ? 1 : 0));
}

/// To nearest, ties to even, limited; NaN is 0.
SIMT_DEVICE int32_t int32_bits_sat(float value) {
  const float anchor = value < 0.0f ? -0x1p23f : 0x1p23f;  // from here on floats are integers: the addition rounds
  if (value != value) return 0;
  if (value >= 0x1p31f) return 0x7fffffff;
  if (value <= -0x1p31f) return -0x7fffffff - 1;
  return int32_t(magnitude(value) < 0x1p23f ? (value + anchor) - anchor : value);
}

/// The sum of two integers, limited to those of 32 bits.
SIMT_DEVICE int32_t sum_sat(int32_t a, int32_t b) {
  const int64_t sum = int64_t{a} + b;
  return sum > 0x7fffffff ? 0x7fffffff : sum < -0x7fffffffLL - 1 ? -0x7fffffff - 1 : int32_t(sum);
}

/// The low byte of an integer limited to -128 .. 127.
SIMT_DEVICE uint8_t int8_bits_of_int32_sat(int32_t v) { return uint8_t(v > 127 ? 127 : v < -128 ? -128 : v); }

}  // namespace simt
