#include "reference/exact/sum.h"

#include <gtest/gtest.h>
#include <mpfr.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace assay {
namespace {

/// The sum in MPFR with 4000 bits, which is exact for all sums of doubles in this file; rounded once at the end.
class WideSum {
 public:
  WideSum() { mpfr_init2(sum_, 4000), mpfr_set_zero(sum_, 1); }
  ~WideSum() { mpfr_clear(sum_); }
  void add(double value) { mpfr_add_d(sum_, sum_, value, MPFR_RNDN); }
  double down() const { return mpfr_get_d(sum_, MPFR_RNDD); }
  double up() const { return mpfr_get_d(sum_, MPFR_RNDU); }

 private:
  mpfr_t sum_;
};

bool brackets_agree(const ExactSum& sum, const WideSum& wide) { return sum.rounded_down() == wide.down() && sum.rounded_up() == wide.up(); }

bool sums_agree(const std::vector<double>& values) {
  ExactSum sum;
  WideSum wide;
  for (double value : values) sum.add(value), wide.add(value);
  return brackets_agree(sum, wide);
}

double random_double(std::mt19937_64& random, int lowest, int highest) {
  const double significand = 1 + std::ldexp(double(random() >> 12), -52);
  const double sign = random() % 2 == 0 ? 1 : -1;
  return sign * std::ldexp(significand, lowest + int(random() % uint64_t(highest - lowest)));
}

TEST(ExactSum, EqualsFourThousandBitsOnRandomDoublesOfAllMagnitudes) {
  std::mt19937_64 random(1);
  for (int range : {1, 10, 60, 300, 599}) {
    for (int trial = 0; trial < 200; ++trial) {
      std::vector<double> values;
      for (int i = 0; i < 50; ++i) values.push_back(random_double(random, -range, range));
      ASSERT_TRUE(sums_agree(values)) << "exponents within " << range << ", trial " << trial;
    }
  }
}

TEST(ExactSum, SurvivesCancellationDownToTheLastBit) {
  std::mt19937_64 random(2);
  for (int trial = 0; trial < 500; ++trial) {
    std::vector<double> values;
    for (int i = 0; i < 30; ++i) {
      const double big = random_double(random, -500, 500);
      values.insert(values.end(), {big, -big});
    }
    values.push_back(std::ldexp(1.0, -550));
    if (trial % 3 == 0) values.push_back(random_double(random, -560, -400));
    std::shuffle(values.begin(), values.end(), random);
    ASSERT_TRUE(sums_agree(values)) << trial;
  }
  EXPECT_TRUE(sums_agree({1, 0x1p-53, 0x1p-53}));
  EXPECT_TRUE(sums_agree({1, 0x1p-54, -0x1p-54}));
  EXPECT_TRUE(sums_agree({0x1p500, 1, -0x1p500}));
  EXPECT_TRUE(sums_agree({-1, 0x1p-600}));
  EXPECT_TRUE(sums_agree({1, -0x1p-600}));
  EXPECT_TRUE(sums_agree({1, 0x1p-53, -0x1p-600})) << "just below a tie";
  EXPECT_TRUE(sums_agree({1, 0x1p-53, 0x1p-600})) << "just above it";
  EXPECT_TRUE(sums_agree({}));
}

TEST(ExactSum, TheEndsAreTheTwoDoublesAroundAnInexactSumAndOneForAnExactOne) {
  ExactSum sum;
  sum.add(1);
  EXPECT_EQ(sum.rounded_down(), sum.rounded_up());
  sum.add(0x1p-80);
  EXPECT_EQ(sum.rounded_down(), 1);
  EXPECT_EQ(sum.rounded_up(), std::nextafter(1, 2));
  sum.add(-0x1p-79);
  EXPECT_EQ(sum.rounded_down(), std::nextafter(1, 0));
  EXPECT_EQ(sum.rounded_up(), 1);
}

TEST(ExactSum, ManyCarriesFit) {
  ExactSum sum;
  WideSum wide;
  const double value = 0x1.fffffffffffffp0;
  for (int i = 0; i < 1 << 20; ++i) sum.add(value), wide.add(value);
  EXPECT_TRUE(brackets_agree(sum, wide));
}

TEST(ExactSum, OneDroppedTermOrAPlainSumIsSeen) {
  std::mt19937_64 random(3);
  std::vector<double> values;
  for (int i = 0; i < 100; ++i) values.push_back(random_double(random, -40, 40));
  ExactSum sum;
  WideSum wide;
  double plain = 0;
  for (double value : values) sum.add(value), plain += value;
  for (size_t i = 1; i < values.size(); ++i) wide.add(values[i]);
  EXPECT_FALSE(brackets_agree(sum, wide));
  ExactSum of_plain;
  of_plain.add(plain);
  wide.add(values[0]);
  EXPECT_TRUE(brackets_agree(sum, wide));
  EXPECT_FALSE(brackets_agree(of_plain, wide));
}

bool squares_agree(const std::vector<double>& values) {
  WideSum wide;
  for (double value : values) wide.add(value * value);  // exact: 24 bits squared are 48
  const SumBounds bounds = exact_sum_of_squares(values);
  return bounds.low == wide.down() && bounds.high == wide.up();
}

/// Rows of f32 numbers: one magnitude, all magnitudes, subnormals, one large number among small ones, zeros.
std::vector<std::vector<double>> rows_of_f32() {
  std::mt19937_64 random(4);
  std::vector<std::vector<double>> rows = {{}, {0}, {-0.0, 0x1p-149}, {0x1.fffffep127, 0x1p-149, -0x1.fffffep127}, {1, 0x1p-30}, {0x1p-149}};
  for (int n : {1, 7, 128, 7168}) {
    for (int range : {1, 4, 20, 126}) {
      std::vector<double> row;
      for (int i = 0; i < n; ++i) row.push_back(double(float(random_double(random, -range, range))));
      rows.push_back(row);
      for (double& x : row) x = std::ldexp(std::trunc(x), -149);
      rows.push_back(row);
      row[row.size() / 2] = 0x1.234566p100;
      rows.push_back(row);
    }
  }
  return rows;
}

TEST(ExactSumOfSquares, EqualsFourThousandBitsOnF32Rows) {
  for (const auto& row : rows_of_f32()) ASSERT_TRUE(squares_agree(row)) << "row of " << row.size();
}

TEST(ExactSumOfSquares, EqualsFourThousandBitsOnSixteenBitRows) {
  std::mt19937_64 random(5);
  std::normal_distribution<double> normal;
  for (int drop : {40, 42, 45}) {  // bits kept: 13, 11 (f16), 8 (bf16)
    for (int n : {1, 100, 8192, 100000}) {
      std::vector<double> row;
      for (int i = 0; i < n; ++i) {
        const uint64_t bits = std::bit_cast<uint64_t>(normal(random)) >> drop << drop;
        row.push_back(std::bit_cast<double>(bits));
      }
      ASSERT_TRUE(squares_agree(row)) << n;
      row.back() = std::ldexp(row.back(), 60);
      ASSERT_TRUE(squares_agree(row)) << n;
      row.front() = std::ldexp(row.front(), -60);
      ASSERT_TRUE(squares_agree(row)) << n;
    }
  }
}

TEST(ExactSumOfSquares, NanAndInfComeOutAsTheyAre) {
  const double nan = std::nan(""), inf = HUGE_VAL;
  EXPECT_TRUE(std::isnan(exact_sum_of_squares(std::vector<double>{1, inf, nan}).low));
  EXPECT_TRUE(std::isnan(exact_sum_of_squares(std::vector<double>{1, nan, 2}).high));
  EXPECT_EQ(exact_sum_of_squares(std::vector<double>{1, -inf, 2}).low, inf);
  EXPECT_EQ(exact_sum_of_squares(std::vector<double>{1, -inf, 2}).high, inf);
  EXPECT_EQ(exact_sum_of_squares(std::vector<double>{3, 4}).low, 25);
}

}  // namespace
}  // namespace assay
