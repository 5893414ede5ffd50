#include "kernels/simt/cpu/math.h"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

namespace simt::cpu {
namespace {

double power_of_two(int exponent) {  // -1022..1023
  const uint64_t b = uint64_t(exponent + 1023) << 52;
  double value;
  memcpy(&value, &b, sizeof value);
  return value;
}

constexpr double kLn2 = 0.69314718055994530942;

/// e^t for |t| <= 0.35: the 15th term is below 2^-60. No division: an activation takes one of these for each element.
double exp_near_zero(double t) {
  constexpr double kInverseFactorials[] = {
      1.0,         1.0,          1.0 / 2,       1.0 / 6,        1.0 / 24,        1.0 / 120,        1.0 / 720,        1.0 / 5040,
      1.0 / 40320, 1.0 / 362880, 1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800, 1.0 / 87178291200};
  double sum = kInverseFactorials[14];
  for (int k = 13; k >= 0; --k) sum = sum * t + kInverseFactorials[k];
  return sum;
}

double exp_wide(double value) {
  const double whole = std::nearbyint(value * 1.4426950408889634);
  return exp_near_zero(value - whole * kLn2) * power_of_two(int(whole));
}

double log2_wide(float value) {
  if (value != value || value < 0.0f) return std::numeric_limits<double>::quiet_NaN();
  if (value == 0.0f) return -std::numeric_limits<double>::infinity();
  if (value == std::numeric_limits<float>::infinity()) return double(value);
  const double wide = double(value);  // normal in double, also where the float is subnormal
  uint64_t b;
  memcpy(&b, &wide, sizeof b);
  int exponent = int(b >> 52) - 1023;
  double m = wide * power_of_two(-exponent);
  if (m > 1.4142135623730951) m *= 0.5, ++exponent;
  // log2(m) = 2 / ln 2 * artanh(z), z = (m - 1) / (m + 1), |z| <= 0.1716: the 12th term is below 2^-63
  const double z = (m - 1.0) / (m + 1.0);
  double sum = 0.0;
  for (int k = 23; k > 0; k -= 2) sum = sum * z * z + 1.0 / k;
  return double(exponent) + z * sum * 2.8853900817779268147;
}

}  // namespace

// sqrt and division are IEEE operations, the same everywhere.
float rsqrt(float value) { return float(1.0 / std::sqrt(double(value))); }

float exp2(float value) {
  if (value != value) return value;
  if (value >= 128.0f) return std::numeric_limits<float>::infinity();
  if (value < -151.0f) return 0.0f;
  const double whole = std::nearbyint(double(value));
  const double t = (double(value) - whole) * kLn2;
  return float(exp_near_zero(t) * power_of_two(int(whole)));
}

float exp(float value) {
  if (value != value) return value;
  if (value >= 89.0f) return std::numeric_limits<float>::infinity();
  if (value < -105.0f) return 0.0f;
  return float(exp_wide(double(value)));
}

/// sinh and cosh by e^2v; below 1/16 the odd series, whose next term is below 2^-32 of the first.
float tanh(float value) {
  if (value != value) return value;
  const double v = double(value), square = v * v;
  if (square < 0x1p-8) return float(v * (1.0 - square * (1.0 / 3 - square * (2.0 / 15 - square * (17.0 / 315)))));
  if (v > 16.0) return 1.0f;
  if (v < -16.0) return -1.0f;
  const double e = exp_wide(2.0 * v);
  return float((e - 1.0) / (e + 1.0));
}

float log2(float value) { return float(log2_wide(value)); }
float log(float value) { return float(log2_wide(value) * kLn2); }

}  // namespace simt::cpu
