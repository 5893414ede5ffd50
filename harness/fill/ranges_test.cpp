// Generators that choose a group's minimum and maximum, and with them an int8 scale and zero point.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "harness/testing/fill_samples.h"

namespace assay {
namespace {

using namespace assay::testing;

TEST(Fill, RangesAndZeroPointsOfInt8) {
  for (const double z : values(filled("zero_points", kInt32)))
    EXPECT_TRUE(z == std::rint(z) && z != 0 && std::fabs(z) <= 127) << z;
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

}  // namespace
}  // namespace assay
