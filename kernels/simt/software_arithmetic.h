// Arithmetic for machines without the instructions: bfloat16 and half in integer code, elementary functions in double precision,
// and conversions to integers.
#pragma once

#include "kernels/simt/device_arithmetic.h"

namespace simt {

// Conversions between fp32 and bfloat16 or IEEE half, in integer code. Every NaN becomes the code 0x7fff, as with cvt.rn on
// NVIDIA GPUs.

SIMT_DEVICE float float_from_bf16_bits(uint16_t code) { return from_bits(uint32_t{code} << 16); }

SIMT_DEVICE uint16_t bf16_bits_from_float(float value) {
  const uint32_t b = bits(value);
  const uint32_t rounded = (b + 0x7fffu + (b >> 16 & 1u)) >> 16;  // to nearest, ties to even; a carry produces Inf
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

// Elementary functions that a machine lacks, or whose results differ between machines. They compute in double and round once,
// with an error below one ulp. They do not divide unless stated, and are built without FMA contraction.

namespace in_double {

SIMT_DEVICE double power_of_two(int exponent) {  // exponent in -1022..1023
  const uint64_t bits = uint64_t(exponent + 1023) << 52;
  double value;
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}

/// e^t for |t| <= 0.35: the 15th term is below 2^-60. Avoids a division, because an activation calls this for each element.
SIMT_DEVICE double exp_near_zero(double t) {
  constexpr double kInverseFactorials[] = {
      1.0,         1.0,          1.0 / 2,       1.0 / 6,        1.0 / 24,        1.0 / 120,        1.0 / 720,        1.0 / 5040,
      1.0 / 40320, 1.0 / 362880, 1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800, 1.0 / 87178291200};
  double sum = kInverseFactorials[14];
  for (int k = 13; k >= 0; --k) sum = sum * t + kInverseFactorials[k];
  return sum;
}

SIMT_DEVICE double exp(double value) {
  const double whole = __builtin_rint(value * 1.4426950408889634);
  return exp_near_zero(value - whole * 0.69314718055994530942) * power_of_two(int(whole));
}

/// (e^2v - 1) / (e^2v + 1), with a division. Below 1/16, a series of odd powers; the omitted terms are < 2^-32 of the sum.
SIMT_DEVICE float tanh(float value) {
  if (value != value) return value;
  const double v = double(value), square = v * v;
  if (square < 0x1p-8) return float(v * (1.0 - square * (1.0 / 3 - square * (2.0 / 15 - square * (17.0 / 315)))));
  if (v > 16.0) return 1.0f;
  if (v < -16.0) return -1.0f;
  const double e = exp(2.0 * v);
  return float((e - 1.0) / (e + 1.0));
}

constexpr int kErfTerms = 64;

/// Coefficients of erf's series: 1 / (k! (2k + 1)), with alternating signs.
struct ErfCoefficients {
  double of[kErfTerms];
  constexpr ErfCoefficients() : of{} {
    double factorial = 1.0;
    for (int k = 0; k < kErfTerms; ++k) {
      if (k > 0) factorial *= k;
      of[k] = (k % 2 == 0 ? 1.0 : -1.0) / (factorial * (2 * k + 1));
    }
  }
};

/// 2 / sqrt(pi) times the series of odd powers (NIST DLMF 7.6.1). With 64 terms at |x| = 4, the largest term is below 2^15, the
/// first omitted one below 2^-40, and the sum is 0.22. For |x| >= 4 the result is 1 or -1.
SIMT_DEVICE float erf(float value) {
  if (value != value) return value;
  const double v = double(value), square = v * v;
  if (square >= 16.0) return v > 0.0 ? 1.0f : -1.0f;
  constexpr ErfCoefficients coefficients;
  int k = square < 0.25 ? 9 : square < 1.0 ? 14 : square < 4.0 ? 28 : kErfTerms - 1;
  double sum = coefficients.of[k];
  for (--k; k >= 0; --k) sum = sum * square + coefficients.of[k];
  return float(1.1283791670955126 * v * sum);
}

}  // namespace in_double

// CPUs and AMD GPUs have no instructions for these conversions; the integer code of device_arithmetic.h does them.

SIMT_DEVICE uint8_t to_e8m0_rz_sat(float v) { return e8m0_bits_rz_sat(v); }
SIMT_DEVICE uint8_t to_e8m0_rp_sat(float v) { return e8m0_bits_rp_sat(v); }
SIMT_DEVICE uint8_t to_int8_sat(float v) { return int8_bits_sat(v); }
SIMT_DEVICE uint8_t to_int8_rz_sat(float v) { return int8_bits_rz_sat(v); }
SIMT_DEVICE uint8_t to_int8_rna_sat(float v) { return int8_bits_rna_sat(v); }
SIMT_DEVICE int32_t to_int32_sat(float v) { return int32_bits_sat(v); }
SIMT_DEVICE int32_t add_sat(int32_t a, int32_t b) { return sum_sat(a, b); }
/// Saturates four integers to int8 and packs them into a word, `a` in the lowest byte.
SIMT_DEVICE uint32_t pack_int8_sat(int32_t a, int32_t b, int32_t c, int32_t d) {
  return uint32_t{int8_bits_of_int32_sat(a)} | uint32_t{int8_bits_of_int32_sat(b)} << 8 |
         uint32_t{int8_bits_of_int32_sat(c)} << 16 | uint32_t{int8_bits_of_int32_sat(d)} << 24;
}

}  // namespace simt
