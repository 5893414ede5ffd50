// bfloat16 and IEEE half in integer code, for machines without the instruction. Every NaN becomes 0x7fff, as cvt.rn does on
// NVIDIA.
#pragma once

namespace simt {

SIMT_DEVICE float float_from_bf16_bits(uint16_t code) { return from_bits(uint32_t{code} << 16); }

SIMT_DEVICE uint16_t bf16_bits_from_float(float value) {
  const uint32_t b = bits(value);
  const uint32_t rounded = (b + 0x7fffu + (b >> 16 & 1u)) >> 16;  // to nearest, ties to even; carries into Inf by itself
  return uint16_t((b & 0x7fffffffu) > 0x7f800000u ? 0x7fffu : rounded);
}

SIMT_DEVICE float float_from_f16_bits(uint16_t code) {
  const uint32_t sign = uint32_t(code & 0x8000u) << 16;
  const uint32_t rest = code & 0x7fffu;
  const uint32_t normal = (rest << 13) + ((127u - 15u) << 23);
  const uint32_t special = (rest << 13) + ((255u - 31u) << 23);
  const uint32_t small = bits(float(rest) * 0x1p-24f);  // subnormal halves are multiples of 2^-24
  return from_bits(sign | (rest >= 0x7c00u ? special : rest >= 0x0400u ? normal : small));
}

SIMT_DEVICE uint16_t f16_bits_from_float(float value) {
  const uint32_t b = bits(value);
  const uint32_t sign = b >> 16 & 0x8000u;
  const uint32_t rest = b & 0x7fffffffu;
  const uint32_t normal = (rest - ((127u - 15u) << 23) + 0x0fffu + (rest >> 13 & 1u)) >> 13;
  const uint32_t small =
      bits(from_bits(rest) + 0.5f) - bits(0.5f);  // ulp(0.5) = 2^-24, so the addition rounds to the half's grid
  const uint32_t finite = rest < (113u << 23) ? small : normal;
  const uint32_t number = rest >= 0x477ff000u ? 0x7c00u : finite;  // 65520 rounds to Inf
  return uint16_t(rest > 0x7f800000u ? 0x7fffu : sign | number);
}

}  // namespace simt
