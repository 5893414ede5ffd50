// Generators that choose a group's amax before its elements.
#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

#include "harness/testing/fill_samples.h"

namespace assay {
namespace {

using namespace assay::testing;

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
  EXPECT_EQ(nan_codes.size(), 3u) << "quiet, negative, and the payload that a cut makes Inf";
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

}  // namespace
}  // namespace assay
