// FP8 casts in integer code without branches, for machines without the instruction: round to nearest, ties to even.
#pragma once

namespace simt {

/// Magnitude code of |value| in a format with 4 exponent and 3 mantissa bits, not limited at the top.
/// Normal numbers: round the float's mantissa to 3 bits in place, then move the exponent. Subnormal numbers: adding 2^(kBias+7)
/// to the sum puts the float's last bit at the format's smallest step, 2^(-kBias-2), and the addition itself rounds.
template <int kBias>
SIMT_DEVICE uint32_t e4m3_magnitude(uint32_t rest) {
  constexpr float kAnchor = float(1 << (21 - kBias));
  const uint32_t normal = ((rest + 0x7ffffu + (rest >> 20 & 1u)) >> 20) - (uint32_t(127 - kBias) << 3);
  const uint32_t small = bits(from_bits(rest) + kAnchor) - bits(kAnchor);
  return rest < (uint32_t(128 - kBias) << 23) ? small : normal;
}

/// OCP e4m3fn: 0x7f is NaN, 448 the largest number.
SIMT_DEVICE uint8_t e4m3fn_bits(float value, uint32_t above) {
  const uint32_t b = bits(value);
  const uint32_t rest = b & 0x7fffffffu;
  const uint32_t code = e4m3_magnitude<7>(rest);
  const uint32_t limited = code > 0x7eu ? above : code;
  return uint8_t((b >> 24 & 0x80u) | (rest > 0x7f800000u ? 0x7fu : limited));
}

/// Beyond 448 the largest number. NaN is 0x7f without its sign, as cvt.rn.satfinite gives it.
SIMT_DEVICE uint8_t e4m3fn_bits_sat(float value) { return value != value ? uint8_t(0x7f) : e4m3fn_bits(value, 0x7e); }

/// Beyond the tie 464 NaN, as torch casts (before 2.13).
SIMT_DEVICE uint8_t e4m3fn_bits_nosat(float value) { return e4m3fn_bits(value, 0x7f); }

/// e4m3fnuz: bias 8, 0x80 is NaN, no negative zero, 240 the largest number; saturates.
SIMT_DEVICE uint8_t e4m3fnuz_bits_sat(float value) {
  const uint32_t b = bits(value);
  const uint32_t rest = b & 0x7fffffffu;
  const uint32_t code = e4m3_magnitude<8>(rest);
  const uint32_t limited = code > 0x7fu ? 0x7fu : code;
  const uint32_t sign = limited == 0u ? 0u : b >> 24 & 0x80u;
  return uint8_t(rest > 0x7f800000u ? 0x80u : sign | limited);
}

}  // namespace simt
