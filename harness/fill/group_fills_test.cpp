// Tests generators that fill by group, by a norm's weights, or by rank.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

#include "harness/testing/fill_samples.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"

namespace assay {
namespace {

using namespace assay::testing;
using ::testing::HasSubstr;

// Generators that choose a group's amax before its elements.

TEST(Fill, QuietMeetsTheFloorsAndTheirNeighbours) {
  const HostTensor tensor = filled("quiet", kF32);
  const std::vector<double> amax = amaxes(tensor);
  const std::set<double> seen(amax.begin(), amax.end());
  EXPECT_TRUE(seen.contains(0));
  EXPECT_TRUE(seen.contains(next_code(kF32, 0, 1)));
  for (const double floor : {1e-10, 448e-10, 1e-4, 448 * 0x1p-18, 1.0 / 512}) {
    const double edge = float(floor);
    for (const int steps : {-1, 0, 1}) EXPECT_TRUE(seen.contains(next_code(kF32, edge, steps))) << floor << " " << steps;
  }
  std::set<int> binades;
  for (const double a : seen) {
    if (a > 0) binades.insert(std::ilogb(a));
    EXPECT_LT(a, 0x1p-6);
  }
  for (int e = -45; e <= -7; ++e) EXPECT_TRUE(binades.contains(e)) << e;
}

TEST(Fill, SpecialsStandInSomeGroupsOnly) {
  const HostTensor tensor = filled("specials");
  const std::vector<double> x = values(tensor);
  int ordinary = 0, all_nan = 0, with_inf = 0, with_minus_inf = 0, with_negative_zero = 0, with_subnormal = 0;
  std::set<uint32_t> nan_codes;
  for (size_t begin = 0; begin < x.size(); begin += kGroup) {
    int nan = 0, inf = 0, minus_inf = 0, negative_zero = 0, subnormal = 0;
    for (size_t i = begin; i < begin + kGroup; ++i) {
      nan += std::isnan(x[i]), inf += x[i] == HUGE_VAL, minus_inf += x[i] == -HUGE_VAL,
          negative_zero += x[i] == 0 && std::signbit(x[i]);
      subnormal += x[i] != 0 && std::fabs(x[i]) < 0x1p-126;
      if (std::isnan(x[i])) nan_codes.insert(tensor.code(int64_t(i)));
    }
    ordinary += nan + inf + minus_inf + negative_zero + subnormal == 0;
    all_nan += nan == kGroup, with_inf += inf > 0, with_minus_inf += minus_inf > 0, with_negative_zero += negative_zero > 0;
    with_subnormal += subnormal > 0;
  }
  for (const int count : {ordinary, all_nan, with_inf, with_minus_inf, with_negative_zero, with_subnormal}) EXPECT_GT(count, 0);
  EXPECT_EQ(nan_codes.size(), 3u) << "quiet, negative, and the payload that truncation turns into Inf";
  for (const double v : values(filled("specials", kInt8))) EXPECT_TRUE(std::isfinite(v));
}

TEST(Fill, LoneVisitsEachPlace) {
  const std::vector<double> x = values(filled("lone"));
  std::set<size_t> places;
  for (size_t begin = 0; begin < x.size(); begin += kGroup) {
    int nonzero = 0;
    for (size_t i = begin; i < begin + kGroup; ++i) {
      if (x[i] == 0) continue;
      ++nonzero;
      places.insert(i - begin);
    }
    EXPECT_EQ(nonzero, 1);
  }
  EXPECT_EQ(places.size(), size_t(kGroup));
}

TEST(Fill, StepsAlternateAndDistinctDoesNotRepeat) {
  const std::vector<double> steps = amaxes(filled("steps")), distinct = amaxes(filled("distinct"));
  const size_t per_row = kColumns / kGroup;
  for (size_t g = 0; g < steps.size(); ++g) {
    EXPECT_EQ(steps[g], g % per_row % 2 == 0 ? 1 : 448);
    const int64_t row = int64_t(g / per_row), in_row = int64_t(g % per_row);
    EXPECT_EQ(distinct[g], std::ldexp(1.0, int((7 * row + in_row) % 61) - 30));
  }
}

TEST(Fill, OctavesAreOneAmaxTimesPowersOfTwo) {
  const HostTensor x = filled("octaves");
  std::set<double> mantissas;
  for (int64_t i = 0; i < x.spec.elements(); ++i) {
    const int64_t first = i / kGroup * kGroup;
    const double amax = decode(kBf16, x.code(first)), value = decode(kBf16, x.code(i));
    EXPECT_EQ(std::fabs(value), std::ldexp(amax, -int((i - first) % 20))) << i;
    mantissas.insert(amax);
  }
  EXPECT_GT(mantissas.size(), 100u);
}

TEST(Fill, Pow2EdgeHasTheEdgeAndBothNeighbours) {
  const std::vector<double> amax = amaxes(filled("pow2_edge"));
  const std::set<double> seen(amax.begin(), amax.end());
  for (const double expected : {448.0, next_code(kBf16, 448, -1), next_code(kBf16, 448, 1), 224.0, 240.0, 448 * 0x1p-8}) {
    EXPECT_TRUE(seen.contains(expected)) << expected;
  }
}

// Tests generators for norms: counts the products that are ties, and those that one ulp of r moves across a tie.

struct NormData {
  std::vector<double> x, gamma;
};

NormData norm_data(const Format& format, int64_t rows, int64_t columns, const std::string& weights = "tie_weights",
                   double offset = 0) {
  HostTensor gamma{dense("gamma", Role::kInput, format, {columns}), {}}, x{dense("x", Role::kInput, format, {rows, columns}), {}};
  fill(gamma, {.name = weights, .seed = 1, .tensor = 1});
  const std::vector<FilledOperand> operands = {filled_operand(gamma, offset)};
  fill(x, {.name = "pinned_ties", .seed = 1, .operands = &operands});
  return {values(x), operands.front().values};
}

TEST(PinnedTiesOfWeights, AreNotThoseOfOtherWeights) {
  const std::vector<double> ties = norm_data(kBf16, 4, 64).x;
  EXPECT_NE(norm_data(kBf16, 4, 64, "gamma").x, ties) << "the requests differ only in the weights, which the generator reads";
  EXPECT_EQ(norm_data(kBf16, 4, 64).x, ties);
}

double rne(const Format& format, double y) { return round_to(format, y, Rounding::kNearestEven, Overflow::kSaturate); }
bool is_half(const Format& format, double y) {
  const double low = round_to(format, y, Rounding::kTowardZero, Overflow::kSaturate);
  return low != y && rne(format, low + (y - low) / 2) == low && y - low == next_code(format, low, y > 0 ? 1 : -1) - y;
}

class PinnedTies : public ::testing::TestWithParam<std::tuple<const Format*, int64_t>> {};

TEST_P(PinnedTies, EveryRowTiesForOneFactorAndRefusesItsNeighbour) {
  const auto [format, columns] = GetParam();
  const NormData data = norm_data(*format, 4, columns);
  for (int64_t row = 0; row < 4; ++row) {
    double squares = 0;
    for (int64_t j = 0; j < columns; ++j) squares += std::pow(data.x[size_t(row * columns + j)], 2);
    const auto mean = float(squares / double(columns));
    EXPECT_EQ(float(double(mean) + 1e-6), mean) << "eps is below the last place";
    const auto r = float(1 / std::sqrt(double(mean)));
    const bool even = row % 2 == 0;
    const float beside = std::nextafterf(r, even ? 1.0f : 0.0f);
    int ties = 0, moved = 0;
    for (int64_t j = 0; j < columns; ++j) {
      const auto x = float(data.x[size_t(row * columns + j)]), w = float(data.gamma[size_t(j)]);
      const float y = x * r * w, other = x * beside * w;
      if (is_half(*format, y)) {
        const bool up = std::fabs(rne(*format, y)) > std::fabs(y);
        ties += up != even;  // all ties of even rows round down; odd rows have some that round up
      } else {
        moved += rne(*format, y) != rne(*format, other);
      }
    }
    EXPECT_GT(ties, 0) << "row " << row;
    EXPECT_GT(moved, 0) << "row " << row << ": no product excludes the neighbour of r";
  }
}

TEST_P(PinnedTies, SquaresAddUpExactlyInAnyOrder) {
  const auto [format, columns] = GetParam();
  const NormData data = norm_data(*format, 4, columns);
  for (int64_t row = 0; row < 4; ++row) {
    float forwards = 0, backwards = 0;
    double exact = 0;
    for (int64_t j = 0; j < columns; ++j) {
      const auto x = float(data.x[size_t(row * columns + j)]), y = float(data.x[size_t(row * columns + columns - 1 - j)]);
      forwards += x * x, backwards += y * y;
      exact += double(x) * double(x);
    }
    EXPECT_EQ(double(forwards), exact);
    EXPECT_EQ(double(backwards), exact);
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, PinnedTies,
                         ::testing::Values(std::tuple(&kBf16, int64_t{1024}), std::tuple(&kBf16, int64_t{1000}),
                                           std::tuple(&kBf16, int64_t{7168}), std::tuple(&kF16, int64_t{1024})));

TEST(Fill, TieWeightsHaveThreesAndEverySignificand) {
  HostTensor gamma{dense("gamma", Role::kInput, kBf16, {1024}), {}}, less = gamma;
  fill(gamma, {.name = "tie_weights", .seed = 1});
  fill(less, {.name = "tie_weights_less_one", .seed = 1});
  const std::vector<double> w = values(gamma), below = values(less);
  std::set<double> significands;
  int threes = 0;
  for (size_t i = 0; i < w.size(); ++i) {
    threes += w[i] == 0.75 || w[i] == 1.5;
    significands.insert(w[i] / std::ldexp(1.0, std::ilogb(w[i])));
    EXPECT_EQ(below[i] + 1, w[i]);
  }
  EXPECT_GE(threes, 256);
  EXPECT_EQ(significands.size(), 128u);
}

TEST(Fill, PinnedTiesOfWeightsThatOneIsAddedTo) {
  const NormData plain = norm_data(kBf16, 2, 1024), gemma = norm_data(kBf16, 2, 1024, "tie_weights_less_one", 1);
  EXPECT_EQ(plain.gamma, gemma.gamma);
  EXPECT_EQ(plain.x, gemma.x);
}

TEST(Fill, PinnedTiesSayWhatTheyLack) {
  HostTensor x{dense("x", Role::kInput, kBf16, {1, 64}), {}};
  try {
    fill(x, {.name = "pinned_ties", .seed = 1});
    FAIL();
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(), HasSubstr("needs the operand gamma"));
  }
  HostTensor wide{dense("x", Role::kInput, kF32, {1, 64}), {}};
  EXPECT_THROW(fill(wide, {.name = "pinned_ties", .seed = 1}), std::invalid_argument);
}

// Tests generators of all-reduce inputs: properties of the values of all ranks together.

std::vector<std::vector<double>> of_ranks(const std::string& name, const Format& format, int ranks) {
  std::vector<std::vector<double>> all;
  for (int rank = 0; rank < ranks; ++rank) {
    HostTensor x{dense("x", Role::kInput, format, {4, 512}), {}};
    fill(x, {.name = name, .seed = 1, .tensor = uint32_t(rank), .rank = rank, .ranks = ranks});
    all.push_back(values(x));
  }
  return all;
}

TEST(FillRanks, IntegersAreExactInEveryOrder) {
  for (const Format* f : {&kBf16, &kF16, &kF32}) {
    const auto all = of_ranks("rank_integers", *f, 8);
    for (size_t i = 0; i < all[0].size(); ++i) {
      double sum = 0;
      for (const auto& x : all) sum += std::fabs(x[i]);
      ASSERT_LE(sum, 256) << f->name;
      ASSERT_NE(all[0][i], 0);
    }
    EXPECT_NE(all[0], all[1]);
  }
}

TEST(FillRanks, CountsAreOfEachRankAndAlikeAreOfNone) {
  const auto counts = of_ranks("rank_counts", kBf16, 4), alike = of_ranks("ranks_alike", kBf16, 4);
  std::set<double> counted(counts[0].begin(), counts[0].end()), turned(alike[0].begin(), alike[0].end());
  EXPECT_EQ(counted.size(), 15u);
  EXPECT_EQ(*counted.begin(), 1);
  EXPECT_EQ(turned.size(), 23u);
  EXPECT_EQ(*turned.begin(), 0);
  EXPECT_NE(counts[0], counts[1]);
  EXPECT_EQ(alike[0], alike[3]);
}

TEST(FillRanks, TwoLargeNumbersCancel) {
  for (const Format* f : {&kBf16, &kF16, &kF32})
    for (const int ranks : {2, 4, 8}) {
      const auto all = of_ranks("rank_cancel", *f, ranks);
      std::set<int> largest;
      for (size_t i = 0; i < all[0].size(); ++i) {
        double sum = 0;
        int large = 0;
        for (int r = 0; r < ranks; ++r) {
          sum += all[size_t(r)][i];
          if (std::fabs(all[size_t(r)][i]) > 100) ++large, largest.insert(r);
        }
        ASSERT_EQ(large, 2);
        ASSERT_LT(std::fabs(sum), 50);
      }
      EXPECT_EQ(largest.size(), size_t(ranks)) << "of every rank";
    }
}

TEST(FillRanks, SumsOverflowOnTheWayAndEndFinite) {
  const auto all = of_ranks("rank_overflow", kF16, 4);
  int64_t beyond = 0;
  for (size_t i = 0; i < all[0].size(); ++i) {
    double sum = 0;
    bool left = false;
    for (const auto& x : all) left |= std::fabs(sum += x[i]) > max_finite(kF16);
    ASSERT_LT(std::fabs(sum), max_finite(kF16));
    beyond += left;
  }
  EXPECT_GT(beyond, int64_t(all[0].size()) / 3);
  EXPECT_LT(beyond, int64_t(all[0].size()));
}

TEST(FillRanks, SpecialsAreOfOneRankOrOfAll) {
  const auto all = of_ranks("rank_specials", kBf16, 4);
  int64_t nan_of_one = 0, all_minus = 0, sentinel_like = 0;
  for (size_t i = 0; i < all[0].size(); ++i) {
    int nans = 0, minus = 0;
    for (const auto& x : all) nans += std::isnan(x[i]), minus += x[i] == 0 && std::signbit(x[i]);
    nan_of_one += nans == 1;
    all_minus += minus == 4;
    sentinel_like += all[0][i] == -power_of_two(kBf16.min_exponent() - kBf16.mantissa_bits);
    ASSERT_LE(nans, 1);
  }
  EXPECT_EQ(nan_of_one, 128);
  EXPECT_GE(all_minus, 128);
  EXPECT_GE(sentinel_like, 128);
}

}  // namespace
}  // namespace assay
