// Generators of tensor core operands: how often the output has the stated property.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <tuple>

#include "harness/testing/fill_samples.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

using namespace assay::testing;

TEST(FillProducts, UniformBitsMeetEveryFiniteCode) {
  for (const Format* f : {&kE4M3Fn, &kE5M2, &kE4M3Fnuz, &kInt8}) {
    const HostTensor tensor = filled("uniform_bits", *f);
    std::set<uint32_t> codes, finite;
    for (int64_t i = 0; i < tensor.spec.elements(); ++i) codes.insert(tensor.code(i));
    for (uint32_t code = 0; code < 256; ++code)
      if (std::isfinite(decode(*f, code))) finite.insert(code);
    EXPECT_EQ(codes, finite) << f->name;
  }
  for (const double x : values(filled("uniform_bits", kF32))) ASSERT_TRUE(std::isfinite(x));
}

TEST(FillProducts, ZerosAreAsManyAsSaidAndOfBothSigns) {
  for (const auto& [name, p] : {std::pair{"half_zeros", 0.5}, {"mostly_zeros", 15.0 / 16}}) {
    const std::vector<double> x = values(filled(name, kBf16));
    EXPECT_NEAR(share(x, [](double v) { return v == 0; }), p, six_sigma(p)) << name;
    EXPECT_NEAR(share(x, [](double v) { return v == 0 && std::signbit(v); }), p / 2, six_sigma(p / 2)) << name;
  }
}

TEST(FillProducts, TinyIsSubnormalInAQuarter) {
  const std::vector<double> x = values(filled("tiny", kF16));
  const double normal = std::ldexp(1.0, kF16.min_exponent());
  int64_t below = 0;
  for (const double v : x) below += std::fabs(v) < normal;
  EXPECT_NEAR(double(below) / double(x.size()), 0.25, six_sigma(0.25)) << "half of the exponents about the least are below it";
}

TEST(FillProducts, ProductsLieAboutTheLargestNumberOfTheResult) {
  for (const Format* f : {&kBf16, &kF16, &kE5M2}) {
    const Format& d = *f == kBf16 ? kF32 : kF16;
    const std::vector<double> x = values(filled("near_overflow", *f, &d));
    int64_t beyond = 0;
    for (size_t i = 1; i < x.size(); ++i) beyond += std::fabs(x[i] * x[i - 1]) > max_finite(d) / 32;
    EXPECT_GT(double(beyond) / double(x.size()), 0.2) << f->name;
  }
}

TEST(FillProducts, PairsCancelAndEveryFourthNearlyDoes) {
  const std::vector<double> a = values(filled("pairs", kE4M3Fn)), b = values(filled("opposite_pairs", kE4M3Fn));
  int64_t cancelled = 0, all = 0;
  for (size_t i = 0; i + 1 < a.size(); i += 2, ++all) {
    ASSERT_EQ(a[i], a[i + 1]);
    ASSERT_NE(std::signbit(b[i]), std::signbit(b[i + 1]));
    cancelled += a[i] * b[i] + a[i + 1] * b[i + 1] == 0;
  }
  EXPECT_NEAR(double(cancelled) / double(all), 0.75, 6 * std::sqrt(0.75 * 0.25 / double(all)));
}

TEST(FillProducts, RowsOfZerosHaveTheirSigns) {
  const std::vector<double> x = values(filled("zero_signs"));
  for (size_t i = 0; i < x.size(); ++i) {
    ASSERT_EQ(x[i], 0);
    const size_t kind = i / size_t(kColumns) % 4;
    ASSERT_EQ(std::signbit(x[i]), kind == 0 || (kind == 3 && i % 2 == 0));
  }
}

/// Products of row i of a generator and row j of its partner, for every column.
std::vector<double> products(const char* one, const char* partner, const Format& f, const Format& d, int64_t i, int64_t j) {
  const std::vector<double> a = values(filled(one, f, &d)), b = values(filled(partner, f, &d));
  std::vector<double> all;
  for (int64_t k = 0; k < kColumns; ++k)
    if (const double p = a[size_t(i * kColumns + k)] * b[size_t(j * kColumns + k)]; p != 0) all.push_back(p);
  return all;
}

TEST(FillProducts, KeptBitSweepsAllDistancesThatUnitsDifferIn) {
  std::set<int> below;
  for (int64_t i = 0; i < kRows; ++i)
    for (int64_t j = 0; j < kRows; ++j) {
      const std::vector<double> p = products("kept_bit", "kept_bit_partner", kF16, kF32, i, j);
      ASSERT_EQ(p.size(), 2u) << "one large, one small";
      below.insert(std::ilogb(p[0]) - std::ilogb(p[1]));
    }
  for (int distance = 13; distance <= 26; ++distance) EXPECT_TRUE(below.contains(distance)) << distance;
}

TEST(FillProducts, KeptBitOfAnF16ResultTies) {
  const std::vector<double> p = products("kept_bit", "kept_bit_partner", kE4M3Fn, kF16, 0, 0);
  ASSERT_EQ(p.size(), 3u);
  EXPECT_EQ(p[1] / p[0], 3 * 0x1p-11 / 1.5) << "one and a half ulp of the first, and what is added is negative";
  EXPECT_LT(p[2], 0);
  EXPECT_LT(p[0], max_finite(kF16));
}

TEST(FillProducts, LeastBitStandsAtTheLeastNumberOfTheResult) {
  for (const auto& [f, d, least] : {std::tuple{&kBf16, &kF32, 0x1p-149}, {&kF16, &kF16, 0x1p-25}}) {
    std::set<int> below;
    for (int64_t i = 0; i < kRows; ++i)
      for (int64_t j = 0; j < kRows; ++j) {
        const std::vector<double> p = products("least_bit", "least_bit_partner", *f, *d, i, j);
        ASSERT_EQ(p.size(), 2u);
        EXPECT_EQ(p[0], least) << f->name;
        below.insert(std::ilogb(p[0]) - std::ilogb(p[1]));
      }
    EXPECT_TRUE(below.contains(8) && below.contains(9) && below.contains(17)) << f->name;
  }
}

TEST(FillProducts, HalfAnUlpOfFourK) {
  const std::vector<double> p = products("half_ulp", "half_ulp_partner", kE4M3Fnuz, kF32, 0, 0);
  ASSERT_EQ(p.size(), 2u);
  EXPECT_EQ(p[0], 4096 * 0x1p-24);
}

TEST(FillProducts, ZerosMeetTheLargestPowerOfTwo) {
  const std::vector<double> a = values(filled("zero_beside_tiny", kBf16, &kF32)),
                            b = values(filled("huge_beside_tiny", kBf16, &kF32));
  for (size_t i = 0; i < a.size(); ++i) {
    if (i % 2 == 0) {
      ASSERT_TRUE((a[i] == 0 && b[i] == 0x1p127) || (b[i] == 0 && a[i] == 0x1p127)) << i;
    } else {
      ASSERT_LT(std::fabs(a[i] * b[i]), 0x1p-133) << "below any least exponent";
    }
  }
}

/// Products of a subnormal number are larger than all others, and they cancel.
TEST(FillProducts, SubnormalPairsCancelAndLeaveSmallProducts) {
  for (const Format* f : {&kE4M3Fn, &kE5M2, &kE4M3Fnuz, &kF16}) {
    const std::vector<double> a = values(filled("subnormal_pairs", *f)), b = values(filled("subnormal_pairs_partner", *f));
    double least_large = HUGE_VAL, most_small = 0;
    for (size_t i = 0; i < a.size(); ++i) {
      const double product = a[i] * b[i];
      if (i % 16 >= 8) {
        most_small = std::max(most_small, std::fabs(product));
        continue;
      }
      least_large = std::min(least_large, std::fabs(product));
      ASSERT_LT(std::min(std::fabs(a[i]), std::fabs(b[i])), std::ldexp(1.0, f->min_exponent())) << i;
      if (i % 8 < 4) {
        ASSERT_EQ(product, -a[i + 4] * b[i + 4]) << i;
      }
    }
    EXPECT_GT(least_large, most_small) << f->name;
    EXPECT_GT(most_small, 0) << f->name;
  }
}

TEST(FillProducts, ScalesAreFarApartOrLow) {
  for (const double s : values(filled("far_scales", kE4M3Fn))) ASSERT_TRUE((s >= 0x1p-9 && s < 0x1p-7) || s >= 0x1p7) << s;
  for (const double s : values(filled("end_scales", kF32)))
    ASSERT_TRUE((s >= 0x1p-128 && s < 0x1p-126) || (s >= 0x1p126 && s < 0x1p128)) << s;
  for (const double s : values(filled("low_scales", kE8M0))) ASSERT_TRUE(s >= 0x1p-72 && s <= 0x1p-70) << s;
}

TEST(FillProducts, NearOneIsWithinFourOctaves) {
  for (const double v : values(filled("near_one", kF16))) ASSERT_TRUE(std::fabs(v) >= 0x1p-4 && std::fabs(v) <= 0x1p4) << v;
}

}  // namespace
}  // namespace assay
