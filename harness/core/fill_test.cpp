// Each fill shows the property that it claims, and its bits are pinned.
#include "harness/core/fill.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <xxhash.h>

#include <cmath>
#include <map>
#include <set>

#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"

namespace assay {
namespace {

constexpr int64_t kRows = 8, kColumns = 2048, kGroup = 128;

HostTensor filled(const std::string& name, const Format& format = kBf16, const Format* q = &kE4M3Fn, uint64_t seed = 1) {
  HostTensor tensor{dense("x", Role::kInput, format, {kRows, kColumns}), {}};
  fill(tensor, {.name = name, .seed = seed, .group_size = kGroup, .q = q});
  return tensor;
}

std::vector<double> values(const HostTensor& tensor) {
  std::vector<double> all;
  for (int64_t i = 0; i < tensor.spec.elements(); ++i) all.push_back(decode(*tensor.spec.format, tensor.code(i)));
  return all;
}

/// Largest magnitude of each group; groups with NaN give NaN.
std::vector<double> amaxes(const HostTensor& tensor) {
  const std::vector<double> x = values(tensor);
  std::vector<double> all;
  for (size_t begin = 0; begin < x.size(); begin += kGroup) {
    double amax = 0;
    for (size_t i = begin; i < begin + kGroup; ++i)
      amax = std::isnan(x[i]) || std::isnan(amax) ? std::nan("") : std::max(amax, std::fabs(x[i]));
    all.push_back(amax);
  }
  return all;
}

double next_code(const Format& format, double value, int steps) {
  return decode(format, code_from_ordinal(format, ordinal_of_value(format, value) + steps));
}

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
  EXPECT_THAT(kinds, testing::UnorderedElementsAre("NaN", "Inf", "one number", "positive", "negative", "tiny"));
}

TEST(Fill, NormalAndGammaAndOnes) {
  double sum = 0, squares = 0;
  for (const double x : values(filled("normal"))) sum += x, squares += x * x;
  const double n = kRows * kColumns;
  // Six standard deviations of a mean of n numbers and of a mean of n squares (variances 1 and 2 at most).
  EXPECT_LT(std::fabs(sum / n), 6 / std::sqrt(n));
  EXPECT_LT(std::fabs(squares / n - 1), 6 * std::sqrt(2 / n));
  for (const double x : values(filled("gamma"))) EXPECT_LT(std::fabs(x - 1), 0.5);
  for (const double x : values(filled("ones"))) EXPECT_EQ(x, 1);
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

TEST(Fill, OutliersAreRareAndOneIsHuge) {
  int large = 0, huge = 0;
  for (const double x : values(filled("outliers"))) large += std::fabs(x) > 12, huge += std::fabs(x) >= 0x1p30;
  EXPECT_GT(large, 4);
  EXPECT_LT(large, 64);
  EXPECT_EQ(huge, 1);
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

TEST(Fill, NormTiesHaveAnExactMeanSquare) {
  for (const int64_t columns : {64, 1000, 2048, 7168}) {
    HostTensor tensor{dense("x", Role::kInput, kBf16, {3, columns}), {}};
    fill(tensor, {.name = "norm_ties", .seed = 4});
    const std::vector<double> x = values(tensor);
    for (int64_t row = 0; row < 3; ++row) {
      double squares = 0;
      int zeros = 0;
      for (int64_t j = 0; j < columns; ++j) {
        const double v = x[size_t(row * columns + j)];
        squares += v * v;
        zeros += v == 0;
      }
      EXPECT_EQ(squares, double(columns) * 4096) << columns;
      EXPECT_GT(zeros, columns / 2) << "sparse";
    }
  }
}

TEST(Fill, ScalesArePositiveAndPow2ScalesArePowers) {
  for (const double x : values(filled("scales", kF32))) {
    EXPECT_GE(x, 0x1p-8);
    EXPECT_LE(x, 0x1p8);
  }
  for (const double x : values(filled("pow2_scales", kE8M0))) EXPECT_EQ(std::exp2(std::ilogb(x)), x);
  for (const double x : values(filled("sevens", kF32))) EXPECT_EQ(std::exp2(std::ilogb(x)) * 1.75, x);
}

TEST(Fill, HalfOfThemAreTenfoldAndRowsHaveOctaves) {
  const std::vector<double> plain = values(filled("normal", kF32)), x = values(filled("half_tenfold", kF32));
  double tenfold = 0;
  for (size_t i = 0; i < x.size(); ++i) tenfold += x[i] != plain[i];
  EXPECT_NEAR(tenfold / double(x.size()), 0.5, 0.02);
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
  std::map<int, std::set<double>> codes;  // under each exponent of a block's scale by RCEIL, the quotients
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
  // From the exponent on at which the smallest code is a number of bf16 to the largest of all, 119: below, quotients are coarse.
  for (int exponent = -124; exponent <= 119; ++exponent)
    EXPECT_TRUE(std::includes(codes[exponent].begin(), codes[exponent].end(), all.begin(), all.end())) << exponent;
  EXPECT_TRUE(codes.contains(-127) && codes.contains(-126) && codes.contains(-125));
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
  for (const double x : values(filled("deep"))) seen.insert(x);
  std::set<double> all;
  for (double x = -88; x <= -20; x = next_up(kBf16, x)) all.insert(x);
  EXPECT_EQ(seen, all);
  for (const double x : values(filled("open"))) EXPECT_EQ(x, 32);
}

TEST(Fill, AnExponentTakesEveryValueByAPowerOfTwo) {
  HostTensor plain{dense("x", Role::kInput, kBf16, {kRows, kColumns}), {}}, taken = plain;
  fill(plain, {.name = "pow2_edge", .seed = 1, .group_size = 128, .q = &kE4M3Fn});
  fill(taken, {.name = "pow2_edge", .seed = 1, .group_size = 128, .q = &kE4M3Fn, .exponent = -5});
  const std::vector<double> before = values(plain), after = values(taken);
  for (size_t i = 0; i < before.size(); ++i) ASSERT_EQ(after[i], before[i] / 32);
}

TEST(Fill, SeedAndTensorChangeTheBits) {
  EXPECT_EQ(filled("normal").bytes, filled("normal").bytes);
  EXPECT_NE(filled("normal").bytes, filled("normal", kBf16, &kE4M3Fn, 2).bytes);
  HostTensor other{dense("r", Role::kInput, kBf16, {kRows, kColumns}), {}};
  fill(other, {.name = "normal", .seed = 1, .tensor = 1});
  EXPECT_NE(other.bytes, filled("normal").bytes);
}

TEST(Fill, StridesAreFollowedAndPaddingIsNan) {
  HostTensor tensor{{"x", Role::kInput, &kBf16, {2, 3}, {1, 4}, 12}, {}};  // column-major, two storage elements between columns
  HostTensor plain{dense("x", Role::kInput, kBf16, {2, 3}), {}};
  fill(tensor, {.name = "ramp", .seed = 1});
  fill(plain, {.name = "ramp", .seed = 1});
  for (int64_t i = 0; i < 2; ++i) {
    for (int64_t j = 0; j < 3; ++j) EXPECT_EQ(tensor.code(i + 4 * j), plain.code(3 * i + j));
  }
  EXPECT_TRUE(std::isnan(decode(kBf16, tensor.code(2))));
}

TEST(Fill, AnUnknownNameListsAll) {
  try {
    filled("tyes");
    FAIL();
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("unknown fill 'tyes'; did you mean 'ties'?"));
    EXPECT_THAT(error.what(), ::testing::HasSubstr("norm_ties"));
  }
}

TEST(Fill, EmptyTensorsAreFine) {
  for (const FillInfo& info : all_fills()) {
    HostTensor tensor{dense("x", Role::kInput, kBf16, {0, 128}), {}};
    EXPECT_NO_THROW(fill(tensor, {.name = info.name, .seed = 1, .group_size = 128, .q = &kE4M3Fn})) << info.name;
  }
}

// XXH3 of bf16 [8, 2048], groups of 128, q e4m3fn, seed 1. A fill whose bits must change gets a new name.
const std::map<std::string, uint64_t>& pinned_digests() {
  static const std::map<std::string, uint64_t> digests = {
      {"normal", 0x287a15d774e0609d},         {"uniform01", 0xc65278477970db8d},     {"wide", 0x5375fc30b512230d},
      {"ramp", 0x302db7612d7b3c26},           {"zeros", 0x6f204300e8ff39c4},         {"ones", 0x227f5f064e73d3a1},
      {"gamma", 0xb59e9b1e1ce3fa3c},          {"ties", 0xf5d202f781aa6ae4},          {"near_ties", 0x7fe1e27674947f4b},
      {"quiet", 0xff720f3468ee8f65},          {"outliers", 0x2b3f79670ab9f52e},      {"specials", 0x94efa326166b6acc},
      {"every_code", 0x26d2d10f76b61b23},     {"lone", 0x86adfc5c15caa0ed},          {"steps", 0x18d2d57530996b09},
      {"distinct", 0x3878bc6e2105fa},         {"pow2_edge", 0x42d47a5a5e4fc7a3},     {"octaves", 0xa51929d8766e4d91},
      {"huge", 0x72124df7db4b595e},           {"eps_dominated", 0x963a09a94fc2e5d3}, {"norm_ties", 0xfa5dc66e46bbac90},
      {"scales", 0x1e9c43e2c9b8d8cc},         {"pow2_scales", 0x194ad2ee8e04d2da},   {"zero_points", 0x55b7150182c296e2},
      {"extent_ties", 0x844c968a23962920},    {"odd_ranges", 0x4276d6155cf6fe86},    {"sevens", 0xe0f77f72268c38dd},
      {"half_tenfold", 0xf01550c4af909eea},   {"row_octaves", 0x6976f0799da226a8},   {"infinities", 0x3779833b14f735f9},
      {"exponent_rules", 0x7e3a402bfe28ac8f}, {"every_scale", 0x92f94b1ac2dd6cb3},   {"lone_mantissa", 0xc87daaf3be23ad89},
      {"open", 0x5f05efe41f811102},           {"deep", 0xc9702c7ad32a7383},
  };
  return digests;
}

TEST(Fill, BitsNeverChange) {
  for (const FillInfo& info : all_fills()) {
    const HostTensor tensor = filled(info.name);
    const uint64_t digest = XXH3_64bits(tensor.bytes.data(), tensor.bytes.size());
    const auto pinned = pinned_digests().find(info.name);
    const uint64_t expected = pinned == pinned_digests().end() ? 0 : pinned->second;
    EXPECT_EQ(expected, digest) << "{\"" << info.name << "\", 0x" << std::hex << digest << "},";
  }
}

}  // namespace
}  // namespace assay
