// Generators of GEMM operands have the properties that their names state.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "harness/testing/fill_samples.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

using namespace assay::testing;

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
    EXPECT_NEAR(share(x, [&](double v) { return std::fabs(v) < power_of_two(f->min_exponent()); }), 0.625, six_sigma(0.625)) << f->name;
    // The share is neither zero nor twice the expected one. (Six standard deviations would exceed the share itself.)
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
  EXPECT_EQ(places.size(), 4u) << "elsewhere in each row";
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
    EXPECT_NE(a[size_t(row * kColumns)], a[size_t(row * kColumns + 256)]) << "a third block is one of its own";
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

/// The exact sum is small; one in fp32 has no odd numbers when the 1 comes.
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

}  // namespace
}  // namespace assay
