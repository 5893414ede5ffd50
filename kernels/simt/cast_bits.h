// Casts to e5m2, to the fnuz formats without saturation, to e8m0 and to int8 in integer code without branches.
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

}  // namespace simt
