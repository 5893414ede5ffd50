#include "kernels/simt/cpu/executor.h"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#include "kernels/simt/simt.h"

namespace simt::cpu {
namespace {

using in_double::exp_near_zero;
using in_double::power_of_two;

constexpr double kLn2 = 0.69314718055994530942;

double log2_wide(float value) {
  if (value != value || value < 0.0f) return std::numeric_limits<double>::quiet_NaN();
  if (value == 0.0f) return -std::numeric_limits<double>::infinity();
  if (value == std::numeric_limits<float>::infinity()) return double(value);
  const double wide = double(value);  // normal as a double, even if it is subnormal as a float
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

// sqrt and division round correctly (IEEE 754), so the result is the same on every machine.
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
  return float(in_double::exp(double(value)));
}

float tanh(float value) { return in_double::tanh(value); }
float erf(float value) { return in_double::erf(value); }

float log2(float value) { return float(log2_wide(value)); }
float log(float value) { return float(log2_wide(value) * kLn2); }

}  // namespace simt::cpu
