// Generators that ignore groups.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "harness/testing/fill_samples.h"

namespace assay {
namespace {

using namespace assay::testing;

TEST(Fill, NormalAndGammaAndOnes) {
  double sum = 0, squares = 0;
  for (const double x : values(filled("normal"))) sum += x, squares += x * x;
  const double n = kRows * kColumns;
  // Six standard deviations of a mean of n values and of a mean of n squares (variances at most 1 and 2).
  EXPECT_LT(std::fabs(sum / n), 6 / std::sqrt(n));
  EXPECT_LT(std::fabs(squares / n - 1), 6 * std::sqrt(2 / n));
  for (const double x : values(filled("gamma"))) EXPECT_LT(std::fabs(x - 1), 0.5);
  for (const double x : values(filled("ones"))) EXPECT_EQ(x, 1);
}

TEST(Fill, OffCenterRowsHaveTheirMeans) {
  const std::vector<double> x = values(filled("off_center", kF32));
  for (int64_t row = 0; row < 4; ++row) {
    double sum = 0;
    for (int64_t column = 0; column < kColumns; ++column) sum += x[size_t(row * kColumns + column)];
    const double wanted[] = {0, 8, -64, 512};
    EXPECT_LT(std::fabs(sum / kColumns - wanted[row]), 6 / std::sqrt(double(kColumns))) << row;
  }
}

TEST(Fill, Uniform01IsNeverNegative) {
  for (const double x : values(filled("uniform01"))) {
    EXPECT_GE(x, 0);
    EXPECT_LE(x, 1);
  }
}

TEST(Fill, WideReachesEightyBinadesWhereTheFormatHasThem) {
  std::set<int> exponents, half;
  for (const double x : values(filled("wide"))) exponents.insert(std::ilogb(x));
  EXPECT_GE(exponents.size(), 80u);
  for (const double x : values(filled("wide", kF16))) {
    ASSERT_NE(x, 0);
    half.insert(std::ilogb(x));
  }
  EXPECT_GE(half.size(), 29u);
}

TEST(Fill, RampNeighboursDiffer) {
  const std::vector<double> x = values(filled("ramp"));
  for (size_t i = 1; i < x.size(); ++i) ASSERT_NE(x[i], x[i - 1]);
  for (size_t i = 1024; i < x.size(); ++i) ASSERT_NE(x[i], x[i - 1024]) << "also at a stride of a power of two";
}

TEST(Fill, ZerosHaveBothSigns) {
  int negative = 0;
  for (const double x : values(filled("zeros"))) {
    ASSERT_EQ(x, 0);
    negative += std::signbit(x);
  }
  EXPECT_GT(negative, kRows * kColumns / 3);
  EXPECT_LT(negative, kRows * kColumns * 2 / 3);
}

TEST(Fill, OutliersAreRareAndOneIsHuge) {
  int large = 0, huge = 0;
  for (const double x : values(filled("outliers"))) large += std::fabs(x) > 12, huge += std::fabs(x) >= 0x1p30;
  EXPECT_GT(large, 4);
  EXPECT_LT(large, 64);
  EXPECT_EQ(huge, 1);
}

TEST(Fill, HugeOverflowsASumOfSquares) {
  for (const double x : values(filled("huge"))) EXPECT_GT(x * x, double(std::numeric_limits<float>::max()));
}

TEST(Fill, EpsDominatedRowsHaveTheirMeanSquares) {
  const std::vector<double> x = values(filled("eps_dominated"));
  const double expected[] = {1e-12, 1e-6, 1, 1e6};
  for (int64_t row = 0; row < kRows; ++row) {
    double squares = 0;
    for (int64_t j = 0; j < kColumns; ++j) squares += std::pow(x[size_t(row * kColumns + j)], 2);
    EXPECT_LT(std::fabs(squares / kColumns / expected[row % 4] - 1), 6 * std::sqrt(2.0 / kColumns));
  }
}

TEST(Fill, ScalesArePositiveAndPow2ScalesArePowers) {
  for (const double x : values(filled("scales", kF32))) {
    EXPECT_GE(x, 0x1p-8);
    EXPECT_LE(x, 0x1p8);
  }
  for (const double x : values(filled("pow2_scales", kE8M0))) EXPECT_EQ(std::exp2(std::ilogb(x)), x);
  for (const double x : values(filled("scales_of_seven", kF32))) EXPECT_EQ(std::exp2(std::ilogb(x)) * 1.75, x);
}

TEST(Fill, HalfOfThemAreTenfoldAndRowsHaveOctaves) {
  const std::vector<double> plain = values(filled("normal", kF32)), x = values(filled("half_tenfold", kF32));
  double tenfold = 0;
  for (size_t i = 0; i < x.size(); ++i) tenfold += x[i] != plain[i];
  const double share = tenfold / double(x.size()), six_deviations = 6 * std::sqrt(0.25 / double(x.size()));
  EXPECT_LE(std::fabs(share - 0.5), six_deviations);
  std::set<int> octaves;
  const std::vector<double> rows = values(filled("row_octaves"));
  for (int64_t row = 0; row < kRows; ++row) {
    double amax = 0;
    for (int64_t j = 0; j < kColumns; ++j) amax = std::max(amax, std::fabs(rows[size_t(row * kColumns + j)]));
    octaves.insert(int(std::ceil(std::log2(amax))));
  }
  EXPECT_GE(*octaves.begin(), 1);
  EXPECT_LE(*octaves.rbegin(), 19);
  EXPECT_GT(octaves.size(), 3u);
}

TEST(Fill, LoneMantissasStandInEachPlaceOfAWordInTurn) {
  const auto x = values(filled("lone_mantissa", kF32));
  for (size_t i = 0; i < x.size(); ++i) {
    const size_t row = i / kColumns;
    EXPECT_EQ(x[i], i % 4 == (row + 1) % 4 ? 1.5 : 1.0);
  }
}

TEST(Fill, DeepGatesAreEveryNumberOfBf16Between) {
  std::set<double> seen;
  for (const double x : values(filled("gate_closed"))) seen.insert(x);
  std::set<double> all;
  for (double x = -88; x <= -20; x = next_up(kBf16, x)) all.insert(x);
  EXPECT_EQ(seen, all);
  for (const double x : values(filled("gate_open"))) EXPECT_EQ(x, 32);
  EXPECT_EQ(exponent_of_constant("gate_open"), 5) << "by which the other half is divided";
  EXPECT_EQ(exponent_of_constant("gate_closed"), 0);
}

TEST(FillPlain, SmallSquaresAreSwallowedByASumInSequence) {
  HostTensor x{dense("x", Role::kInput, kF32, {1, 1024}), {}};
  fill(x, {.name = "swallowed", .seed = 1});
  double exact = 0;
  float in_sequence = 0;
  for (const double v : values(x)) exact += v * v, in_sequence += float(v * v);
  EXPECT_EQ(in_sequence, 32.0f);
  EXPECT_GT(exact, 32.00005);
}

TEST(FillPlain, EdgeScalesHoldEveryEdge) {
  const std::vector<double> x = values(filled("edge_scales", kF32));
  for (const double edge : {0.0, 0x1p-126, 0x1p127, HUGE_VAL}) EXPECT_GT(std::count(x.begin(), x.end(), edge), 0) << edge;
}

}  // namespace
}  // namespace assay
