// Conversions to integers and the quotients before them, against the processor's double arithmetic.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "kernels/simt/simt.h"

namespace assay_kernels::int8_test {
namespace {

const float kInf = std::numeric_limits<float>::infinity(), kNan = std::numeric_limits<float>::quiet_NaN();

/// A whole number, limited; NaN is 0.
int64_t limited(double whole, double least, double most) {
  return std::isnan(whole) ? 0 : int64_t(whole < least ? least : whole > most ? most : whole);
}

/// How often the conversions of a float differ from their definitions.
int wrong(float v) {
  const auto int8 = [](double whole) { return uint8_t(limited(whole, -128, 127)); };
  return (simt::to_int8_sat(v) != int8(std::nearbyint(double(v)))) + (simt::to_int8_rz_sat(v) != int8(std::trunc(double(v)))) +
         (simt::to_int8_rna_sat(v) != int8(std::round(double(v)))) +
         (simt::to_int32_sat(v) != int32_t(limited(std::nearbyint(double(v)), -2147483648.0, 2147483647.0)));
}

TEST(Int8, ConversionsAreTheirDefinitions) {
  int64_t differ = 0;
  for (int k = -1040; k <= 1040; ++k)  // every quarter up to 260 and its neighbours
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
  for (int i = 0; i < 1000000; ++i) {  // quotients about the codes, ties among them, by scales of few bits and of all
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
