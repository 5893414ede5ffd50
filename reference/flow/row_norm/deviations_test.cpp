// Sums of x and of squares of what is left without the mean, by trees of random shape, lie within bounds that need their depth.
#include "reference/flow/row_norm/deviations.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "reference/flow/row.h"
#include "reference/formats/catalogue.h"
#include "reference/testing/layer_norms.h"
#include "reference/testing/real.h"

namespace assay::deviations_test {
namespace {

using namespace layer_norms;

struct TreeSum {
  float sum;
  int depth;
};

/// The sum of a tree of random shape.
TreeSum random_tree(const std::vector<float>& terms, std::mt19937& engine) {
  std::vector<TreeSum> leaves;
  for (float term : terms) leaves.push_back({term, 0});
  while (leaves.size() > 1) {
    const size_t i = engine() % leaves.size();
    const TreeSum a = leaves[i];
    leaves[i] = leaves.back(), leaves.pop_back();
    TreeSum& b = leaves[engine() % leaves.size()];
    b = {a.sum + b.sum, std::max(a.depth, b.depth) + 1};
  }
  return leaves[0];
}

TEST(SignedSum, BoundsHoldForRandomTreesAndNotWithoutTheirDepth) {
  std::mt19937 engine(73);
  int outside_without_depth = 0;
  for (double mean : {0.0, 3.0, 1000.0}) {
    for (int trial = 0; trial < 200; ++trial) {
      const RowInputs row = normal_row(kF32, 200, unsigned(engine()), mean);
      const TreeSum tree = random_tree({row.x.begin(), row.x.end()}, engine);
      ASSERT_TRUE(inside(signed_sum(row.x, tree.depth), double(tree.sum))) << mean;
      outside_without_depth += !inside(signed_sum(row.x, 0), double(tree.sum));
    }
  }
  EXPECT_GT(outside_without_depth, 100);
}

TEST(SignedSum, EdgesAreWhatTheyAre) {
  const double inf = HUGE_VAL, nan = std::nan("");
  EXPECT_TRUE(signed_sum({0.0, -0.0}, 3).pinned());
  EXPECT_TRUE(inside(signed_sum({-0.0, -0.0}, 3), -0.0));
  EXPECT_FALSE(signed_sum({-0.0, -0.0}, 3).pinned()) << "from 0 on it is 0";
  EXPECT_TRUE(signed_sum({3, -2}, 0).pinned());
  EXPECT_EQ(signed_sum({1, inf}, 3).low, inf);
  EXPECT_TRUE(std::isnan(signed_sum({inf, 1, -inf}, 3).low) && signed_sum({inf, 1, -inf}, 3).pinned());
  EXPECT_TRUE(std::isnan(signed_sum({nan, inf}, 3).high));
  EXPECT_TRUE(signed_sum({0x1p127, 0x1p127, -0x1p127, -0x1p127}, 3).any()) << "Inf in one order, 0 in another";
}

TEST(SumOfDeviations, BoundsHoldForRandomTreesAndEveryMeanOfTheSpan) {
  std::mt19937 engine(74);
  int outside_without_depth = 0;
  for (double mean : {0.0, 3.0, 1000.0}) {
    for (int trial = 0; trial < 200; ++trial) {
      const RowInputs row = normal_row(kF32, 200, unsigned(engine()), mean);
      const Span sum = signed_sum(row.x, 20);
      const Span mu{double(float(sum.low) / 200.0f), double(float(sum.high) / 200.0f)};
      for (double m : {mu.low, mu.high, nearest(kF32, (mu.low + mu.high) / 2)}) {
        std::vector<float> terms;
        for (double v : row.x) terms.push_back((float(v) - float(m)) * (float(v) - float(m)));
        const TreeSum tree = random_tree(terms, engine);
        ASSERT_TRUE(inside(sum_of_deviations(row.x, mu, tree.depth), double(tree.sum))) << mean;
        outside_without_depth += !inside(sum_of_deviations(row.x, point(m), -3), double(tree.sum));
      }
    }
  }
  EXPECT_GT(outside_without_depth, 100);
}

TEST(SumOfDeviations, EdgesAreWhatTheyAre) {
  EXPECT_EQ(sum_of_deviations({5, 5, 5}, point(5), 3).high, 0);
  EXPECT_EQ(sum_of_deviations({5, 5, 5}, Span{4, 6}, 0).low, 0) << "one of them is the mean";
  EXPECT_GE(sum_of_deviations({5, 5, 5}, Span{4, 6}, 0).high, 3);
  EXPECT_GT(sum_of_deviations({5, 5, 5}, Span{5.5, 6}, 0).low, 0.7) << "none of them is";
  EXPECT_TRUE(sum_of_deviations({1, 2}, any_number(), 3).any());
  EXPECT_TRUE(std::isnan(sum_of_deviations({1, HUGE_VAL}, point(HUGE_VAL), 3).low)) << "Inf - Inf";
  EXPECT_EQ(sum_of_deviations({1, HUGE_VAL}, point(1), 3).low, HUGE_VAL) << "a mean of something else";
  EXPECT_EQ(sum_of_deviations({0x1p100, 0}, point(0), 3).high, HUGE_VAL);
}

}  // namespace
}  // namespace assay::deviations_test
