// Generators for MXFP8 blocks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "harness/testing/fill_samples.h"

namespace assay {
namespace {

using namespace assay::testing;

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
  std::map<int, std::set<double>> codes;  // per exponent of a block's RCEIL scale: the quotients
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
  // The lowest exponent is the first at which the smallest code is a bf16 number; below it, quotients are coarse. The highest is
  // that of the largest code, 119.
  for (int exponent = -124; exponent <= 119; ++exponent)
    EXPECT_TRUE(std::includes(codes[exponent].begin(), codes[exponent].end(), all.begin(), all.end())) << exponent;
  EXPECT_TRUE(codes.contains(-127) && codes.contains(-126) && codes.contains(-125));
}

}  // namespace
}  // namespace assay
