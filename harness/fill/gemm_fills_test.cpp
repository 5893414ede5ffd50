// Tests generators of GEMM and tensor core operands and of block scales.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "harness/testing/fill_samples.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

using namespace assay::testing;

// Tests that the data of GEMM generators have the properties that the generators promise.

TEST(FillGemm, ScaledDataReachTheLargestNumberAndRarelyLeaveIt) {
  for (const Format* f : {&kE4M3Fn, &kE4M3Fnuz, &kInt8}) {
    const std::vector<double> x = values(filled("amax_scaled", *f));
    EXPECT_GT(*std::max_element(x.begin(), x.end()), max_finite(*f) / 2) << f->name;
    EXPECT_LT(share(x, [&](double v) { return std::fabs(v) == max_finite(*f); }), 0.001) << f->name;
    for (const double v : values(filled("amax_scaled_positive", *f))) ASSERT_GE(v, 0) << f->name;
  }
}

TEST(FillGemm, FewMaximaAmongSubnormals) {
  for (const Format* f : {&kE4M3Fn, &kE5M2, &kE4M3Fnuz}) {
    const std::vector<double> x = values(filled("few_maxima", *f));
    EXPECT_NEAR(share(x, [&](double v) { return std::fabs(v) < power_of_two(f->min_exponent()); }), 0.625, six_sigma(0.625))
        << f->name;
    // The share must be above zero and below twice the expected share. (Six standard deviations would be a wider bound.)
    EXPECT_NEAR(share(x, [&](double v) { return std::fabs(v) > 16; }), 1.0 / 512, 1.0 / 512) << f->name;
  }
}

/// The bound is on the sum of |a b|, not on the sum of a b.
TEST(FillGemm, SumsOfMagnitudesStayBelowTwoToTheThirteen) {
  for (const int64_t k : {32, 512, 7168, 16384}) {
    HostTensor a{dense("a", Role::kInput, kE4M3Fn, {64, k}), {}}, b{dense("b", Role::kInput, kE4M3Fn, {64, k}), {}};
    fill(a, {.name = "exact_sums", .seed = 1, .tensor = 0});
    fill(b, {.name = "exact_sums", .seed = 1, .tensor = 1});
    double most = 0;
    for (int64_t row = 0; row < 64; ++row)
      for (int64_t column = 0; column < 64; ++column) {
        double sum = 0;
        for (int64_t i = 0; i < k; ++i)
          sum += std::fabs(decode(kE4M3Fn, a.code(row * k + i)) * decode(kE4M3Fn, b.code(column * k + i)));
        most = std::max(most, sum);
      }
    EXPECT_LT(most, 8192) << k;
    EXPECT_GT(most, 1) << k;
  }
}

TEST(FillGemm, RowsOfZerosAndRowsWithASingleOne) {
  HostTensor x{dense("x", Role::kInput, kE4M3Fn, {8, 100}), {}};
  fill(x, {.name = "one_hot_rows", .seed = 1});
  std::set<int64_t> places;
  for (int64_t row = 0; row < 8; ++row) {
    int64_t ones = 0;
    for (int64_t i = 0; i < 100; ++i) {
      const uint32_t code = x.code(row * 100 + i);
      if (code == 0) continue;
      ASSERT_EQ(decode(kE4M3Fn, code), 1);
      places.insert(i), ++ones;
    }
    EXPECT_EQ(ones, row % 2) << row;
  }
  EXPECT_EQ(places.size(), 4u) << "the 1 is in another column in each row";
}

TEST(FillGemm, EveryCodeComesInTurn) {
  HostTensor x{dense("x", Role::kInput, kE8M0, {16, 16}), {}};
  fill(x, {.name = "codes_in_turn", .seed = 1});
  for (int64_t i = 0; i < 256; ++i) ASSERT_EQ(x.code(i), uint32_t(i));
}

TEST(FillGemm, OneOutlierInEveryBlock) {
  HostTensor x{dense("x", Role::kInput, kE4M3Fn, {16, 300}), {}};
  fill(x, {.name = "block_outliers", .seed = 1});
  for (int64_t row = 0; row < 16; ++row)
    for (int64_t first = 0; first < 300; first += 128) {
      int64_t large = 0;
      for (int64_t i = first; i < std::min<int64_t>(first + 128, 300); ++i)
        large += std::fabs(decode(kE4M3Fn, x.code(row * 300 + i))) == max_finite(kE4M3Fn);
      EXPECT_EQ(large, 1) << row << " " << first;
    }
}

TEST(FillGemm, LargeProductsCancelAndSmallOnesAreLeft) {
  for (const Format* f : {&kE4M3Fn, &kE4M3Fnuz, &kE5M2}) {
    const std::vector<double> a = values(filled("equal_pairs", *f)), b = values(filled("cancelling_pairs", *f));
    for (size_t i = 0; i + 3 < a.size(); i += i % 32 == 4 ? 28 : 4) {
      ASSERT_EQ(a[i] * b[i] + a[i + 1] * b[i + 1], 0) << f->name;
      ASSERT_GT(std::fabs(a[i + 2] * b[i + 3]), 0);
    }
    EXPECT_GT(*std::max_element(a.begin(), a.end()), max_finite(*f) / 4) << f->name;
  }
  for (const double s : values(filled("amax_scales", kF32))) ASSERT_TRUE(s >= 0x1p-10 && s < 0x1p-6) << s;
}

TEST(FillGemm, CodesLieAboutAZeroPoint) {
  std::map<double, int> counts;
  for (const double code : values(filled("about_64", kInt8))) ++counts[code];
  ASSERT_EQ(counts.size(), 3u);
  for (const double code : {63.0, 64.0, 65.0}) EXPECT_GT(counts[code], 0) << code;
}

TEST(FillGemm, BlocksCancelAndTheirScalesAreEqual) {
  constexpr int64_t kRows = 5, kColumns = 300;
  const auto made = [&](const char* name, const Format& format, int64_t columns) {
    HostTensor x{dense("x", Role::kInput, format, {kRows, columns}), {}};
    fill(x, {.name = name, .seed = 1});
    return values(x);
  };
  const std::vector<double> a = made("equal_blocks", kE4M3Fn, kColumns), b = made("opposite_blocks", kE4M3Fn, kColumns),
                            s = made("paired_scales", kF32, 6);
  for (int64_t row = 0; row < kRows; ++row) {
    for (int64_t i = row * kColumns; i < row * kColumns + 128; ++i) {
      ASSERT_EQ(a[size_t(i)], a[size_t(i + 128)]);
      ASSERT_EQ(b[size_t(i)], -b[size_t(i + 128)]);
    }
    EXPECT_NE(a[size_t(row * kColumns)], a[size_t(row * kColumns + 256)]) << "the third block is not a copy of the first";
    for (int64_t i = row * 6; i < row * 6 + 6; i += 2) ASSERT_EQ(s[size_t(i)], s[size_t(i + 1)]);
    EXPECT_NE(s[size_t(row * 6)], s[size_t(row * 6 + 2)]);
  }
}

TEST(FillGemm, OneNanInEveryFourthRow) {
  HostTensor x{dense("x", Role::kInput, kE4M3Fn, {16, 96}), {}};
  fill(x, {.name = "codes_with_nans", .seed = 1});
  for (int64_t row = 0; row < 16; ++row) {
    int64_t nans = 0;
    for (int64_t i = 0; i < 96; ++i) nans += std::isnan(decode(kE4M3Fn, x.code(row * 96 + i)));
    EXPECT_EQ(nans, row % 4 == 1 ? 1 : 0);
  }
}

TEST(FillGemm, TheLowestNumberIsEverywhere) {
  for (const double x : values(filled("lowest", kInt8))) ASSERT_EQ(x, -128);
  for (const double x : values(filled("lowest", kE4M3Fn))) ASSERT_EQ(x, -448);
}

TEST(FillGemm, TheNumbersNextToZeroChangeSignByRows) {
  const HostTensor tensor = filled("least_signs", kE4M3Fn);
  const std::vector<double> x = values(tensor);
  const int64_t columns = tensor.spec.shape.back();
  for (int64_t i = 0; i < int64_t(x.size()); ++i) ASSERT_EQ(x[size_t(i)], i / columns % 2 == 0 ? -0x1p-9 : 0x1p-9);
}

/// The exact sum is small. But before the product 1 is added, the fp32 sum is so large that it can only represent even numbers.
TEST(FillGemm, TheOneInTheMiddleIsSwallowedInF32) {
  HostTensor a{dense("a", Role::kInput, kInt8, {1, 2083}), {}}, b = a;
  fill(a, {.name = "one_in_the_middle", .seed = 1});
  fill(b, {.name = "one_in_the_middle_partner", .seed = 1});
  double exact = 0;
  float rounded = 0;
  for (int64_t i = 0; i < 2083; ++i) {
    const double product = decode(kInt8, a.code(i)) * decode(kInt8, b.code(i));
    exact += product, rounded += float(product);
  }
  EXPECT_EQ(exact, 1);
  EXPECT_NE(rounded, 1.0f);
}

// Tests generators of tensor core operands: which share of the generated elements has the property that the generator promises.

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
  EXPECT_NEAR(double(below) / double(x.size()), 0.25, six_sigma(0.25)) << "half of the exponents are below the smallest";
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

/// The products of row i of a generator with row j of its partner, column by column.
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

/// The products that have a subnormal factor are larger than all others, and they cancel.
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

// Generators for MXFP8 blocks.

TEST(Fill, ExponentRulesMeetsEachThresholdAndBothItsNeighbours) {
  std::set<double> significands;
  for (const double amax : amaxes(filled("exponent_rules"))) significands.insert(amax / std::ldexp(1.0, std::ilogb(amax)));
  for (const double at : {1.0, 1.75, 1.875, 1.9375}) {
    EXPECT_TRUE(significands.contains(at));
    EXPECT_TRUE(significands.contains(next_code(kBf16, at, 1)));
  }
  for (const double at : {1.75, 1.875, 1.9375, 2.0}) EXPECT_TRUE(significands.contains(next_code(kBf16, at, -1)));
}

TEST(Fill, InfinitiesOfBothSignsAndNoNan) {
  const std::vector<double> amax = amaxes(filled("infinities")), x = values(filled("infinities"));
  for (size_t g = 0; g < amax.size(); ++g) EXPECT_EQ(std::isinf(amax[g]), g % 2 == 1);
  EXPECT_THAT(x, ::testing::Contains(HUGE_VAL));
  EXPECT_THAT(x, ::testing::Contains(-HUGE_VAL));
}

TEST(Fill, EveryScaleHasEveryCodeUnderEveryExponent) {
  HostTensor tensor{dense("x", Role::kInput, kBf16, {294, 256}), {}};
  fill(tensor, {.name = "every_scale", .seed = 1, .group_size = 32, .q = &kE4M3Fn});
  std::map<int, std::set<double>> codes;  // for each exponent of a block's RCEIL scale, the quotients x / scale that occur
  const std::vector<double> x = values(tensor);
  for (size_t begin = 0; begin < x.size(); begin += 32) {
    double amax = 0;
    for (size_t i = begin; i < begin + 32; ++i) amax = std::max(amax, std::fabs(x[i]));
    const int exponent =
        amax == 0 ? -127 : std::max(-127, std::ilogb(amax) - 8 + (amax > 1.75 * std::ldexp(1.0, std::ilogb(amax))));
    for (size_t i = begin; i < begin + 32; ++i) codes[exponent].insert(std::ldexp(x[i], -exponent));
  }
  std::set<double> all;
  for (uint32_t code = 0; code < 256; ++code)
    if (std::isfinite(decode(kE4M3Fn, code))) all.insert(decode(kE4M3Fn, code));
  // From exponent -124 on, the smallest code of q times the scale is a bf16 number. For smaller exponents, not every quotient
  // occurs. At 119, the largest code times the scale is in the last binade of bf16.
  for (int exponent = -124; exponent <= 119; ++exponent)
    EXPECT_TRUE(std::includes(codes[exponent].begin(), codes[exponent].end(), all.begin(), all.end())) << exponent;
  EXPECT_TRUE(codes.contains(-127) && codes.contains(-126) && codes.contains(-125));
}

}  // namespace
}  // namespace assay
