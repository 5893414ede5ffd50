// Functions that a machine lacks or that differ between machines, in double arithmetic of our own and rounded once: within one ulp.
// No division but where one is said. Built without contraction.
#pragma once

namespace simt {
namespace in_double {

SIMT_DEVICE double power_of_two(int exponent) {  // -1022..1023
  const uint64_t bits = uint64_t(exponent + 1023) << 52;
  double value;
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}

/// e^t for |t| <= 0.35: the 15th term is below 2^-60. No division: an activation takes one of these for each element.
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

/// sinh and cosh by e^2v, with a division; below 1/16 the odd series, whose next term is below 2^-32 of the first.
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

/// 1 / (k! (2k + 1)) with the sign of the k-th term.
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

/// 2 / sqrt(pi) times the series of odd powers (NIST DLMF 7.6.1). Of 64 terms at 4 the largest is below 2^15 and the next below
/// 2^-40, both of a sum of 0.22; from 4 on the result is one.
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
}  // namespace simt
