// Functions whose bits are ours on the CPU, and on HIP where a chip has no instruction: compared with the C library's in double.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "kernels/simt/simt.h"

namespace assay_kernels::functions_test {
namespace {

const float kInf = std::numeric_limits<float>::infinity(), kNan = std::numeric_limits<float>::quiet_NaN();

using OfFloat = float (*)(float);
using OfDouble = double (*)(double);

/// From one float to the next at the result.
double ulp_at(double exact) {
  const float near = float(std::fabs(exact));
  return double(std::nextafter(near, kInf)) - double(near);
}

/// The largest error in ulp over numbers of every exponent, both signs, and the argument where it is.
std::pair<double, float> worst_error(OfFloat function, OfDouble exact) {
  double worst = 0;
  float at = 0;
  for (uint32_t bits = 1; bits < 0x7f800000; bits += 4093)
    for (const float v : {simt::from_bits(bits), -simt::from_bits(bits)}) {
      const double right = exact(double(v)), error = std::fabs(double(function(v)) - right) / ulp_at(right);
      if (!(error <= worst)) worst = error, at = v;
    }
  return {worst, at};
}

TEST(Functions, AreWithinOneUlp) {
  const auto [erf, erf_at] = worst_error(simt::erf, std::erf);
  EXPECT_LE(erf, 0.51) << erf_at;
  const auto [tanh, tanh_at] = worst_error(simt::tanh, std::tanh);
  EXPECT_LE(tanh, 0.51) << tanh_at;
}

TEST(Functions, TermsThatAreMissingAreSeen) {
  const OfFloat two_terms = [](float v) { return float(1.1283791670955126 * double(v) * (1 - double(v) * double(v) / 3)); };
  EXPECT_GT(worst_error(two_terms, std::erf).first, 100);
  const OfFloat one_ulp_off = [](float v) { return std::nextafter(simt::erf(v), kInf); };
  EXPECT_GT(worst_error(one_ulp_off, std::erf).first, 0.51);
}

TEST(Functions, HaveTheirLimitsAndSignsOfZero) {
  for (const OfFloat function : {OfFloat(simt::erf), OfFloat(simt::tanh)}) {
    EXPECT_EQ(function(kInf), 1.0f);
    EXPECT_EQ(function(-kInf), -1.0f);
    EXPECT_TRUE(std::isnan(function(kNan)));
    for (const float zero : {0.0f, -0.0f}) {
      EXPECT_EQ(function(zero), 0.0f);
      EXPECT_EQ(std::signbit(function(zero)), std::signbit(zero));
    }
    EXPECT_EQ(function(std::numeric_limits<float>::denorm_min() * 3), std::numeric_limits<float>::denorm_min() * 3);
  }
}

}  // namespace
}  // namespace assay_kernels::functions_test
