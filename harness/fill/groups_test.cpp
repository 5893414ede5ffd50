// Fills that know the groups of a row and the format of codes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "harness/testing/fill_samples.h"
#include "reference/formats/round.h"

namespace assay {
namespace {

using namespace assay::testing;

bool is_halfway(const Format& q, double value) {
  const double magnitude = std::fabs(value);
  for (int32_t o = 0; o < ordinal_of_value(q, max_finite(q)); ++o) {
    if (magnitude == (decode(q, code_from_ordinal(q, o)) + decode(q, code_from_ordinal(q, o + 1))) / 2) return true;
  }
  return false;
}

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

TEST(Fill, EveryCodeMeetsEveryFiniteCodeAtScaleOne) {
  for (const Format* q : {&kE4M3Fn, &kE4M3Fnuz, &kE5M2, &kInt8}) {
    const HostTensor tensor = filled("every_code", kF32, q);
    std::set<uint32_t> met;
    for (const double v : values(tensor)) met.insert(code_of(*q, v));
    size_t finite = 0;
    for (uint32_t code = 0; code < 256; ++code) finite += std::isfinite(decode(*q, code));
    EXPECT_EQ(met.size(), finite) << q->name;
    if (*q == kInt8) continue;  // -128 is larger than max_finite
    for (const double amax : amaxes(tensor)) EXPECT_EQ(amax, max_finite(*q));
  }
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
