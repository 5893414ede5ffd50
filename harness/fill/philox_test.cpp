#include "harness/fill/philox.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "harness/fill/nearest.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

using Block = std::array<uint32_t, 4>;

// Source: kat_vectors of Random123 1.14 (D. E. Shaw Research), rows "philox4x32 10".
TEST(Philox, PublishedKnownAnswers) {
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}), (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr uint32_t kOnes = 0xffffffff;
  EXPECT_EQ(philox4x32({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}), (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, OneBitOfTheKeyChangesTheAnswer) { EXPECT_NE(philox4x32({0, 0, 0, 0}, {1, 0}), philox4x32({0, 0, 0, 0}, {0, 0})); }

TEST(Random, SeedStreamIndexAndLaneAllMatter) {
  const Random random(7, 0);
  EXPECT_EQ(random.block(5, 1), Random(7, 0).block(5, 1));
  EXPECT_NE(random.block(5), Random(8, 0).block(5));
  EXPECT_NE(random.block(5), Random(7 + (uint64_t{1} << 32), 0).block(5));
  EXPECT_NE(random.block(5), Random(7, 1).block(5));
  EXPECT_NE(random.block(5), random.block(6));
  EXPECT_NE(random.block(5), random.block(5 + (int64_t{1} << 32)));
  EXPECT_NE(random.block(5), random.block(5, 1));
}

TEST(Random, NormalHasMeanZeroAndVarianceOne) {
  const Random random(1, 0);
  constexpr int kCount = 100000;
  double sum = 0, squares = 0;
  for (int i = 0; i < kCount; ++i) {
    const double x = random.normal(i);
    sum += x;
    squares += x * x;
  }
  EXPECT_LT(std::fabs(sum / kCount), 5 / std::sqrt(double(kCount)));
  EXPECT_LT(std::fabs(squares / kCount - 1), 5 * std::sqrt(2.0 / kCount));
}

TEST(NearestCode, EveryFiniteCodeOfEveryNarrowFormatIsItsOwnNearest) {
  for (const Format& format : all_formats()) {
    if (format.bits > 16) continue;
    for (uint32_t code = 0; code < format.code_count(); ++code) {
      const double value = decode(format, code);
      if (!std::isfinite(value)) continue;
      EXPECT_EQ(nearest_code(format, value), code) << format.name;
    }
  }
}

TEST(NearestCode, TiesGoToTheEvenCodeAndNeighboursOfTiesDoNot) {
  for (const Format& format : {kE4M3Fn, kE4M3Fnuz, kE5M2, kBf16, kF16}) {
    const int32_t largest = ordinal_of_value(format, max_finite(format));
    for (int32_t o = 0; o < largest; ++o) {
      const double a = decode(format, code_from_ordinal(format, o)), b = decode(format, code_from_ordinal(format, o + 1));
      const double middle = (a + b) / 2;
      EXPECT_EQ(nearest_code(format, middle), uint32_t(o % 2 == 0 ? o : o + 1)) << format.name << " " << o;
      EXPECT_EQ(nearest_code(format, std::nextafter(middle, a)), uint32_t(o)) << format.name;
      EXPECT_EQ(nearest_code(format, std::nextafter(middle, b)), uint32_t(o + 1)) << format.name;
    }
  }
}

TEST(NearestCode, SaturatesAndKeepsSpecials) {
  EXPECT_EQ(decode(kE4M3Fn, nearest_code(kE4M3Fn, 1e9)), 448);
  EXPECT_EQ(decode(kBf16, nearest_code(kBf16, -1e300)), -max_finite(kBf16));
  EXPECT_EQ(decode(kBf16, nearest_code(kBf16, -HUGE_VAL)), -HUGE_VAL);
  EXPECT_EQ(decode(kE4M3Fn, nearest_code(kE4M3Fn, HUGE_VAL)), 448) << "no Inf in this format";
  EXPECT_TRUE(std::isnan(decode(kE4M3Fnuz, nearest_code(kE4M3Fnuz, std::nan("")))));
  EXPECT_EQ(nearest_code(kE4M3Fnuz, -0.0), 0u) << "no -0 in this format";
  EXPECT_EQ(nearest_code(kE4M3Fn, -0.0), 0x80u);
  EXPECT_EQ(nearest_code(kInt8, 2.5), 2u);
  EXPECT_EQ(nearest_code(kInt8, -1e9), 0x80u);
  EXPECT_EQ(nearest_code(kE8M0, 1.5), 127u) << "halfway goes down to 1";
  EXPECT_EQ(nearest_code(kE8M0, 0.0), 0u);
}

TEST(NearestCode, AgreesWithTheHardwareOnF32) {
  const Random random(3, 0);
  for (int i = 0; i < 100000; ++i) {
    const double x = random.normal(i) * std::ldexp(1.0 + random.uniform(i), int(random.below(300, i, 1)) - 160);
    const float expected = float(x);
    if (!std::isfinite(expected)) continue;
    EXPECT_EQ(decode(kF32, nearest_code(kF32, x)), double(expected));
  }
}

}  // namespace
}  // namespace assay
