// Generators of all-reduce inputs: properties of the values of all ranks together.
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "harness/testing/fill_samples.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"

namespace assay {
namespace {

using namespace assay::testing;

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
