// Tests generators of single values, output codes, ranges and rows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "harness/testing/fill_samples.h"
#include "reference/formats/round.h"

namespace assay {
namespace {

using namespace assay::testing;

// Generators that ignore groups.

TEST(Fill, NormalAndGammaAndOnes) {
  double sum = 0, squares = 0;
  for (const double x : values(filled("normal"))) sum += x, squares += x * x;
  const double n = kRows * kColumns;
  // Bounds: six standard deviations of a mean of n values, and of a mean of n squares (variances at most 1 and 2).
  EXPECT_LT(std::fabs(sum / n), 6 / std::sqrt(n));
  EXPECT_LT(std::fabs(squares / n - 1), 6 * std::sqrt(2 / n));
  for (const double x : values(filled("gamma"))) EXPECT_LT(std::fabs(x - 1), 0.5);
  for (const double x : values(filled("ones"))) EXPECT_EQ(x, 1);
}

TEST(Fill, SubnormalNumbersOfBothSignsAndNoOther) {
  for (const Format* format : {&kF16, &kBf16, &kF32}) {
    const double normal = std::ldexp(1.0, format->min_exponent());
    std::set<double> magnitudes;
    int64_t negative = 0, smaller = 0;
    for (const double x : values(filled("subnormal", *format))) {
      ASSERT_NE(x, 0) << format->name;
      ASSERT_LT(std::fabs(x), normal) << format->name;
      magnitudes.insert(std::fabs(x));
      negative += x < 0;
      smaller += std::fabs(x) < normal / 2;
    }
    EXPECT_GT(magnitudes.size(), 100u) << format->name;
    const double six_sigma = 6 * std::sqrt(0.25 * kRows * kColumns);
    EXPECT_NEAR(double(negative), kRows * kColumns / 2.0, six_sigma) << format->name;
    EXPECT_NEAR(double(smaller), kRows * kColumns / 2.0, six_sigma + kRows * kColumns / 128.0) << format->name;
  }
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
  for (size_t i = 1024; i < x.size(); ++i) ASSERT_NE(x[i], x[i - 1024]) << "elements at a distance of 1024 differ too";
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

// Generators that target output codes: each code, the midpoints, and the inputs one code beside a midpoint.

bool is_halfway(const Format& q, double value) {
  const double magnitude = std::fabs(value);
  for (int32_t o = 0; o < ordinal_of_value(q, max_finite(q)); ++o) {
    if (magnitude == (decode(q, code_from_ordinal(q, o)) + decode(q, code_from_ordinal(q, o + 1))) / 2) return true;
  }
  return false;
}

TEST(Fill, TiesLieHalfwayUnderAPowerOfTwoScale) {
  for (const Format* q : {&kE4M3Fn, &kE4M3Fnuz, &kInt8}) {
    for (const Format* format : {&kBf16, &kF16, &kF32}) {
      const HostTensor tensor = filled("ties", *format, q);
      const std::vector<double> x = values(tensor), amax = amaxes(tensor);
      std::set<double> scales, ties;
      for (size_t i = 0; i < x.size(); ++i) {
        const double scale = amax[i / kGroup] / max_finite(*q);
        ASSERT_EQ(std::exp2(std::ilogb(scale)), scale) << q->name << " in " << format->name;
        scales.insert(scale);
        if (i % kGroup == 0) continue;
        ASSERT_TRUE(is_halfway(*q, x[i] / scale)) << q->name << " in " << format->name << " " << x[i];
        ties.insert(x[i] / scale);
      }
      EXPECT_GE(scales.size(), 4u) << q->name << " in " << format->name;
      const double smallest = next_code(*q, 0, 1) / 2;
      EXPECT_TRUE(ties.contains(smallest) && ties.contains(-smallest)) << "the tie with zero, both signs";
      EXPECT_EQ(ties.size(), 2 * size_t(ordinal_of_value(*q, max_finite(*q)))) << "every tie, both signs";
    }
  }
}

TEST(Fill, TiesRefuseAFormatThatCannotHoldThem) {
  EXPECT_THROW(filled("ties", kE4M3Fn, &kE4M3Fn), std::invalid_argument);
  EXPECT_THROW(filled("ties", kBf16, nullptr), std::invalid_argument);
}

TEST(Fill, NearTiesAreOneCodeBesideATie) {
  const std::vector<double> x = values(filled("near_ties"));
  const std::vector<double> amax = amaxes(filled("near_ties"));
  int above = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    if (i % kGroup == 0) continue;
    const double scale = amax[i / kGroup] / 448;
    ASSERT_FALSE(is_halfway(kE4M3Fn, x[i] / scale));
    const bool tie_below = is_halfway(kE4M3Fn, next_code(kBf16, x[i], -1) / scale),
               tie_above = is_halfway(kE4M3Fn, next_code(kBf16, x[i], 1) / scale);
    ASSERT_TRUE(tie_below || tie_above);
    above += tie_below;
  }
  EXPECT_GT(above, kRows * kColumns / 3);
}

TEST(Fill, EveryCodeMeetsEveryFiniteCodeAtScaleOne) {
  for (const Format* q : {&kE4M3Fn, &kE4M3Fnuz, &kE5M2, &kInt8}) {
    const HostTensor tensor = filled("every_code", kF32, q);
    std::set<uint32_t> met;
    for (const double v : values(tensor)) met.insert(code_of(*q, v));
    size_t finite = 0;
    for (uint32_t code = 0; code < 256; ++code) finite += std::isfinite(decode(*q, code));
    EXPECT_EQ(met.size(), finite) << q->name;
    if (*q == kInt8) continue;  // -128 is larger in magnitude than max_finite
    for (const double amax : amaxes(tensor)) EXPECT_EQ(amax, max_finite(*q));
  }
}

// Generators that choose a group's minimum and maximum, and with them an int8 scale and zero point.

TEST(Fill, RangesAndZeroPointsOfInt8) {
  for (const double z : values(filled("zero_points", kInt32)))
    EXPECT_TRUE(z == std::rint(z) && z != 0 && std::fabs(z) <= 127) << z;
  for (const double z : values(filled("far_zero_points", kInt32)))
    EXPECT_TRUE(z == std::rint(z) && std::fabs(z) > 128 && std::fabs(z) < 1024) << z;
  std::set<double> zero_points;
  const std::vector<double> ties = values(filled("extent_ties"));
  for (size_t begin = 0; begin < ties.size(); begin += kGroup) {
    const auto [lo, hi] = std::minmax_element(ties.begin() + long(begin), ties.begin() + long(begin + kGroup));
    const double step = (*hi - *lo) / 255;
    ASSERT_EQ(step, std::exp2(std::ilogb(step)));
    zero_points.insert(-128 - *lo / step);
    int halves = 0;
    for (size_t i = begin; i < begin + kGroup; ++i) halves += std::fabs(ties[i] / step - std::trunc(ties[i] / step)) == 0.5;
    EXPECT_EQ(halves, kGroup - 2);
  }
  EXPECT_GT(zero_points.size(), 40u);
  const std::vector<double> odd = values(filled("odd_ranges"));
  std::set<std::string> kinds;
  for (size_t begin = 0; begin < odd.size(); begin += kGroup) {
    const auto all = [&](auto what) { return std::all_of(odd.begin() + long(begin), odd.begin() + long(begin + kGroup), what); };
    const double first = odd[begin];
    if (all([](double x) { return std::isnan(x); }))
      kinds.insert("NaN");
    else if (all([&](double x) { return x == first; }))
      kinds.insert(std::isinf(first) ? "Inf" : "one number");
    else if (all([](double x) { return !(x <= 0); }))
      kinds.insert("positive");
    else if (all([](double x) { return !(x >= 0); }))
      kinds.insert("negative");
    else if (all([](double x) { return std::fabs(x) < 0x1p-126; }))
      kinds.insert("tiny");
  }
  EXPECT_THAT(kinds, ::testing::UnorderedElementsAre("NaN", "Inf", "one number", "positive", "negative", "tiny"));
}

TEST(Fill, EndRangesRoundBeyondInt8AndTieUnderSeven) {
  const std::vector<double> x = values(filled("end_ranges"));
  std::map<std::string, int> kinds;
  for (size_t begin = 0; begin < x.size(); begin += kGroup) {
    std::vector<double> group(x.begin() + long(begin), x.begin() + long(begin + kGroup));
    const auto nans = std::erase_if(group, [](double v) { return std::isnan(v); });
    if (group.empty()) {
      ++kinds["NaN alone"];
      continue;
    }
    const auto [lo, hi] = std::minmax_element(group.begin(), group.end());
    const double step = (*hi - *lo) / 255;
    if (*lo == -*hi) {
      EXPECT_EQ(std::rint(*hi / step) + std::rint(-128 - *lo / step), 128);
      ++kinds["beyond"];
    } else if (*hi < 4 * *lo || *hi < 0) {
      ++kinds[nans == 1 ? "one NaN" : *lo > 0 ? "positive" : "negative"];
    } else {
      EXPECT_EQ(std::scalbn(step, -std::ilogb(step)), 1.75) << step;
      for (const double v : group) {
        if (v != *lo && v != *hi) {
          EXPECT_EQ(std::fabs(v / step - std::trunc(v / step)), 0.5) << v;
        }
      }
      ++kinds["seven"];
    }
  }
  for (const char* kind : {"NaN alone", "one NaN", "positive", "negative", "beyond", "seven"}) EXPECT_GT(kinds[kind], 5) << kind;
}

// Generators for the ends of groups, rows and blocks, and for rows after a row with NaN or Inf.

size_t place_of_largest(const std::vector<double>& x, size_t begin, size_t end) {
  const auto less = [](double a, double b) { return std::fabs(a) < std::fabs(b); };
  return size_t(std::max_element(x.begin() + long(begin), x.begin() + long(end), less) - x.begin());
}

TEST(Fill, EndsHaveTheLargestOfEachGroup) {
  const std::vector<double> x = values(filled("ends"));
  int first = 0, last = 0;
  for (size_t begin = 0; begin < x.size(); begin += kGroup) {
    const size_t place = place_of_largest(x, begin, begin + kGroup);
    first += place == begin, last += place == begin + kGroup - 1;
  }
  EXPECT_EQ(first + last, int(x.size() / kGroup));
  EXPECT_GT(first, 0);
  EXPECT_GT(last, first) << "the last group of a row has it in the row's last place";
}

TEST(Fill, EndsHaveTheLargestOfTheRowsOfABlockInTheLast) {
  HostTensor tensor{dense("x", Role::kInput, kBf16, {200, 130}), {}};
  fill(tensor, {.name = "ends", .seed = 1, .group_size = 128});
  const std::vector<double> x = values(tensor);
  EXPECT_EQ(place_of_largest(x, 0, 128 * 130) / 130, 127u);
  EXPECT_EQ(place_of_largest(x, 128 * 130, 200 * 130) / 130, 199u);
}

TEST(Fill, RowsOfZerosStandBehindSpoiledOnes) {
  const std::vector<double> x = values(filled("spoiled_rows"));
  for (int64_t row = 0; row < kRows; ++row) {
    int nan = 0, inf = 0, zero = 0;
    for (int64_t i = row * kColumns; i < (row + 1) * kColumns; ++i)
      nan += std::isnan(x[size_t(i)]), inf += std::isinf(x[size_t(i)]), zero += x[size_t(i)] == 0;
    EXPECT_EQ(nan, row % 6 == 1) << row;
    EXPECT_EQ(inf, row % 6 == 3) << row;
    EXPECT_EQ(zero, row % 6 == 2 || row % 6 == 4 ? kColumns : 0) << row;
  }
}

}  // namespace
}  // namespace assay
