// Compares conversions, quotients and elementary functions of simt.h on the CPU with the processor's double arithmetic and the C
// library.
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <random>
#include <string>

#include "kernels/simt/simt.h"
#include "kernels/testing/oracle.h"

// Compares the CPU's conversions with the plain arithmetic of kernels/testing/oracle.h.

namespace {

namespace oracle = assay_kernels::oracle;

/// Calls f with every bf16 value and the floats next to it, then with every 4099th fp32 bit pattern.
template <class F>
void for_many_floats(F f) {
  for (uint32_t high = 0; high < 0x10000u; ++high)
    for (const uint32_t low : {0u, 1u, 0x7fffu, 0x8000u, 0x8001u, 0xffffu}) f(simt::from_bits(high << 16 | low));
  for (uint64_t b = 0; b < uint64_t{1} << 32; b += 4099) f(simt::from_bits(uint32_t(b)));
}

/// Calls f with the midpoint of each pair of neighbouring codes, where rounding changes, and with the floats next to it.
template <class F>
void for_borders(int bias, F f) {
  for (int code = 0; code < 0x80; ++code) {
    const float middle = float((oracle::e4m3_value(code, bias) + oracle::e4m3_value(code + 1, bias)) / 2);
    for (const float v : {std::nextafter(middle, 0.0f), middle, std::nextafter(middle, 1e9f)}) f(v), f(-v);
  }
}

TEST(Fp8Bits, AgreesWithSearchAtEveryBorder) {
  for_borders(7, [](float v) {
    EXPECT_EQ(simt::e4m3fn_bits_sat(v), oracle::e4m3fn_sat(v)) << v;
    EXPECT_EQ(simt::e4m3fn_bits_nosat(v), oracle::e4m3fn_nosat(v)) << v;
  });
  for_borders(8, [](float v) { EXPECT_EQ(simt::e4m3fnuz_bits_sat(v), oracle::e4m3fnuz_sat(v)) << v; });
}

TEST(Fp8Bits, AgreesWithSearchOnAMillionFloats) {
  int64_t wrong = 0;
  for_many_floats([&](float v) {
    wrong += simt::e4m3fn_bits_sat(v) != oracle::e4m3fn_sat(v);
    wrong += simt::e4m3fnuz_bits_sat(v) != oracle::e4m3fnuz_sat(v);
    if (v == v) wrong += simt::e4m3fn_bits_nosat(v) != oracle::e4m3fn_nosat(v);
  });
  EXPECT_EQ(wrong, 0);
}

TEST(Fp8Bits, IsMonotoneAndSoEqualBetweenTheBorders) {
  // The magnitude code must never decrease from one tested float to the next. With the midpoints above, this covers every input.
  uint32_t last = 0;
  for (uint32_t b = 0; b <= 0x7f800000u; b += 61) {
    const uint32_t code = simt::e4m3fn_bits_sat(simt::from_bits(b));
    ASSERT_GE(code, last) << b;
    last = code;
  }
  EXPECT_EQ(last, 0x7eu);
}

TEST(HalfBits, WideningIsExactForEveryCode) {
  for (uint32_t code = 0; code < 0x10000u; ++code) {
    const int exponent = int(code >> 10 & 31u);
    if (exponent == 31) continue;
    const int mantissa = int(code & 1023u);
    const double value =
        std::ldexp(exponent == 0 ? mantissa : 1024 + mantissa, (exponent == 0 ? 1 : exponent) - 25) * (code & 0x8000u ? -1 : 1);
    ASSERT_EQ(double(simt::float_from_f16_bits(uint16_t(code))), value) << code;
    ASSERT_EQ(simt::f16_bits_from_float(float(value)), code);
  }
  for (uint32_t code = 0; code <= 0x7f80u; ++code) {
    ASSERT_EQ(simt::bf16_bits_from_float(simt::float_from_bf16_bits(uint16_t(code))), code);
    ASSERT_EQ(simt::bf16_bits_from_float(simt::float_from_bf16_bits(uint16_t(code | 0x8000u))), code | 0x8000u);
  }
}

TEST(HalfBits, NarrowingRoundsToNearestEven) {
  int64_t wrong = 0;
  for_many_floats([&](float v) {
    if (v != v) {
      wrong += simt::bf16_bits_from_float(v) != 0x7fff || simt::f16_bits_from_float(v) != 0x7fff;
    } else {
      wrong += double(simt::float_from_bf16_bits(simt::bf16_bits_from_float(v))) != oracle::round_bf16(v);
      wrong += double(simt::float_from_f16_bits(simt::f16_bits_from_float(v))) != oracle::round_f16(v);
    }
  });
  EXPECT_EQ(wrong, 0);
}

struct ExactFma {
  static float fma(float a, float b, float c) { return std::fmaf(a, b, c); }
};

TEST(Divide, CorrectionGivesTheIeeeQuotient) {
  using Divide = simt::DivideByCorrection<ExactFma>;
  std::mt19937 random(7);
  int64_t wrong = 0;
  for (int i = 0; i < 2000000; ++i) {
    const float s = simt::from_bits((random() & 0x007fffffu) | (80u + random() % 160u) << 23);  // 2^-47 .. 2^112
    const float x = s * simt::from_bits((random() & 0x807fffffu) | (107u + random() % 30u) << 23);
    if (!(simt::magnitude(x) <= 1e38f)) continue;
    wrong += simt::bits(Divide(s)(x)) != simt::bits(x / s);
  }
  // Quotients of bf16 values by fl(amax / 448), as the kernels compute them.
  for (uint32_t amax = 0x3f80; amax < 0x4000; ++amax)
    for (uint32_t x = 0x3400; x <= amax; ++x) {
      const float s = simt::float_from_bf16_bits(uint16_t(amax)) / 448.0f, v = simt::float_from_bf16_bits(uint16_t(x));
      wrong += simt::bits(Divide(s)(v)) != simt::bits(v / s);
    }
  EXPECT_EQ(wrong, 0);
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(simt::bits(Divide(inf)(-3.0f)), 0x80000000u);
  EXPECT_TRUE(std::isnan(Divide(inf)(inf)));
  EXPECT_TRUE(std::isnan(Divide(nan)(1.0f)));
  EXPECT_TRUE(std::isnan(Divide(1.0f)(nan)));
  EXPECT_EQ(simt::bits(Divide(1.0f)(-0.0f)), 0x80000000u);
  EXPECT_TRUE(std::isnan(Divide(1.0f)(-inf))) << "Inf / 1 is outside its domain; DivideEach covers it";
  EXPECT_EQ(simt::DivideEach(1.0f)(-inf), -inf);
}

/// A random number in [1, 2) with `bits` significant bits.
float significand(std::mt19937& random, int bits) {
  return simt::from_bits(0x3f800000u | (random() & 0x7fffffu & ~((1u << (24 - bits)) - 1u)));
}

TEST(Divide, OneCorrectionIsEnoughForNumbersOfSixteenBits) {
  std::mt19937 random(8);
  int64_t wrong = 0, wrong_without = 0, wrong_reciprocals = 0;
  for (int i = 0; i < 4000000; ++i) {
    const float x = significand(random, 11), d = significand(random, 24);
    // A device's approximation may be off by one ulp: the float below 1 / d or the one above.
    const float nearest = 1.0f / d;
    const uint32_t other = simt::bits(nearest) + (ExactFma::fma(-d, nearest, 1.0f) > 0 ? 1u : ~0u);
    const float rough = random() % 2u == 0 ? nearest : simt::from_bits(other);
    const float reciprocal = simt::corrected_reciprocal<ExactFma>(d, rough);
    if ((simt::bits(d) & 0x7fffffu) != 0x7fffffu) wrong_reciprocals += reciprocal != nearest;
    wrong += simt::corrected_quotient<ExactFma>(x, d, 1.0f / d) != x / d;
    wrong_without += x * (1.0f / d) != x / d;
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(wrong_reciprocals, 0);
  EXPECT_GT(wrong_without, 0);
  EXPECT_EQ(simt::bits(simt::corrected_quotient<ExactFma>(-0.0f, 3.0f, 1.0f / 3.0f)), 0x80000000u);
  EXPECT_TRUE(std::isnan(simt::corrected_quotient<ExactFma>(NAN, 3.0f, 1.0f / 3.0f)));
}

TEST(Math, IsExactWhereItSaysSo) {
  for (int e = -149; e <= 127; ++e) {
    EXPECT_EQ(simt::log2(std::ldexp(1.0f, e)), float(e));
    EXPECT_EQ(simt::exp2(float(e)), std::ldexp(1.0f, e));
  }
  EXPECT_EQ(simt::log2(0.0f), -std::numeric_limits<float>::infinity());
  EXPECT_EQ(simt::exp2(-std::numeric_limits<float>::infinity()), 0.0f);
  EXPECT_EQ(simt::exp2(128.0f), std::numeric_limits<float>::infinity());
}

TEST(Math, IsTheNearestFloatOrItsNeighbourAndAlmostAlwaysTheFirst) {
  int64_t off = 0, seen = 0;
  for (uint32_t b = 1; b < 0x7f800000u; b += 10007) {
    const float v = simt::from_bits(b);
    off += simt::log2(v) != float(std::log2((long double)v));
    off += simt::rsqrt(v) != float(1.0L / std::sqrt((long double)v));
    seen += 2;
  }
  for (float v = -150; v < 128; v += 0.00731f) off += simt::exp2(v) != float(std::exp2((long double)v)), ++seen;
  EXPECT_LE(off, seen / 100000);
}

TEST(Maxima, TreatNanAsTheirNamesSay) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(simt::max_number(nan, 1.0f), 1.0f);
  EXPECT_EQ(simt::max_number(1.0f, nan), 1.0f);
  EXPECT_EQ(simt::min_number(nan, 1.0f), 1.0f);
  EXPECT_TRUE(std::isnan(simt::max_or_nan(nan, 1.0f)));
  EXPECT_TRUE(std::isnan(simt::max_or_nan(1.0f, nan)));
  EXPECT_TRUE(std::isnan(simt::min_or_nan(1.0f, nan)));
}

}  // namespace

namespace assay_kernels::int8_test {

// Compares conversions to integers, and the quotients before them, with the processor's double arithmetic.

namespace {

const float kInf = std::numeric_limits<float>::infinity(), kNan = std::numeric_limits<float>::quiet_NaN();

/// Clamps a whole number to least .. most; NaN becomes 0.
int64_t limited(double whole, double least, double most) {
  return std::isnan(whole) ? 0 : int64_t(whole < least ? least : whole > most ? most : whole);
}

/// How many of the conversions of v to integers differ from their definitions.
int wrong(float v) {
  const auto int8 = [](double whole) { return uint8_t(limited(whole, -128, 127)); };
  return (simt::to_int8_sat(v) != int8(std::nearbyint(double(v)))) + (simt::to_int8_rz_sat(v) != int8(std::trunc(double(v)))) +
         (simt::to_int8_rna_sat(v) != int8(std::round(double(v)))) +
         (simt::to_int32_sat(v) != int32_t(limited(std::nearbyint(double(v)), -2147483648.0, 2147483647.0)));
}

TEST(Int8, ConversionsAreTheirDefinitions) {
  int64_t differ = 0;
  for (int k = -1040; k <= 1040; ++k)  // every quarter from -260 to 260, and the floats next to it
    for (float v : {float(k) / 4, std::nextafter(float(k) / 4, kInf), std::nextafter(float(k) / 4, -kInf)}) differ += wrong(v);
  for (uint64_t b = 0; b < (uint64_t{1} << 32); b += 2053) differ += wrong(simt::from_bits(uint32_t(b)));
  for (float v : {kNan, kInf, -kInf, 0x1p22f - 0.5f, 0x1p23f - 0.5f, 0x1p23f - 1.5f, 0x1p31f, -0x1p31f, 0x1.fffffep30f, -0.0f})
    differ += wrong(v) + wrong(-v);
  EXPECT_EQ(differ, 0);
  EXPECT_EQ(simt::to_int8_sat(2.5f), 2);
  EXPECT_EQ(simt::to_int8_rz_sat(2.9f), 2);
  EXPECT_EQ(simt::to_int8_rna_sat(-2.5f), uint8_t(-3));
  EXPECT_EQ(simt::to_int8_rna_sat(std::nextafter(0.5f, 0.0f)), 0) << "adding a half first would round it up";
}

TEST(Int8, SumsSaturateAndFourBytesArePackedInOrder) {
  EXPECT_EQ(simt::add_sat(0x7fffffff, 1), 0x7fffffff);
  EXPECT_EQ(simt::add_sat(-0x7fffffff - 1, -1), -0x7fffffff - 1);
  EXPECT_EQ(simt::add_sat(5, -7), -2);
  EXPECT_EQ(simt::pack_int8_sat(1, -1, 1000, -1000), 0x807fff01u);
}

struct ExactFma {
  static float fma(float a, float b, float c) { return std::fmaf(a, b, c); }
};

TEST(Int8, ASaturatingQuotientHasTheCodeOfTheTrueOne) {
  using Divide = simt::DivideSaturatingByCorrection<ExactFma>;
  std::mt19937 random(17);
  int64_t differ = 0, saturated = 0;
  const auto compare = [&](float x, float s) {
    const uint8_t code = simt::to_int8_sat(x / s);
    differ += simt::to_int8_sat(Divide(s)(x)) != code;
    saturated += code == 0x7f || code == 0x80;
  };
  for (int i = 0; i < 1000000; ++i) compare(simt::from_bits(random()), simt::from_bits(random()));
  for (int i = 0; i < 1000000; ++i) {  // quotients near codes and ties; scales with few and with many significant bits
    const float s = simt::from_bits((random() & (i % 2 ? 0x00700000u : 0x007fffffu)) | (20u + random() % 220u) << 23);
    compare(s * (float(random() % 600) / 2 - 150), s);
  }
  for (float s : {0.0f, -0.0f, kInf, -kInf, kNan, 0x1p-149f, 0x1p-61f, 0x1p-60f, 0x1p120f, 0x1.fffffep127f, -3.0f})
    for (float x : {0.0f, -0.0f, 1.0f, -1.0f, kInf, -kInf, kNan, 0x1p-149f, 0x1.fffffep127f}) compare(x, s);
  EXPECT_EQ(differ, 0);
  EXPECT_GT(saturated, 100000);
}

}  // namespace

}  // namespace assay_kernels::int8_test

namespace assay_kernels::functions_test {

// Compares the functions that are implemented here, on the CPU and for AMD GPUs without an instruction, with the C library's
// double versions.

namespace {

const float kInf = std::numeric_limits<float>::infinity(), kNan = std::numeric_limits<float>::quiet_NaN();

using OfFloat = float (*)(float);
using OfDouble = double (*)(double);

/// Distance between adjacent floats near `exact`.
double ulp_at(double exact) {
  const float near = float(std::fabs(exact));
  return double(std::nextafter(near, kInf)) - double(near);
}

/// The largest error in ulp over arguments of every exponent and both signs, and the argument that has it.
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
