// Single elements against their accepted intervals: codes, ULP distance, zeros, NaN.
#include "harness/compare/compare.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "harness/compare/ordinals.h"
#include "harness/fill/philox.h"
#include "harness/testing/compare_codes.h"
#include "harness/testing/whole_part.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

using namespace compare_codes;
using testing::compare_part;
using testing::whole_part;

/// One element with an interval.
TensorFinding compare_interval(const Format& format, int32_t low, int32_t high, uint32_t got) {
  return compare_part(whole_part(format, {1, 1}, {low}, {high}, "two codes"), tensor_of(format, {got}));
}

TEST(Ordinals, ArraysAgreeWithSingleCodes) {
  for (const Format& format : all_formats()) {
    std::vector<uint32_t> codes;
    for (uint32_t i = 0; i < (format.bits > 16 ? 65536 : format.code_count()); ++i)
      codes.push_back(format.bits > 16 ? Random(1, 0).word(i) : i);
    if (format.bits == 32) codes.insert(codes.end(), {0, 0x80000000, 0x7f800000, 0xff800000, 0x7f800001, 0xffffffff, 0x7fffffff});
    const HostTensor tensor = tensor_of(format, codes);
    std::vector<int32_t> ordinals(codes.size());
    ordinals_of_codes(format, tensor.bytes.data(), ordinals);
    for (size_t i = 0; i < codes.size(); ++i) ASSERT_EQ(ordinals[i], ordinal(format, codes[i])) << format.name << " " << codes[i];
  }
}

TEST(Compare, EveryCodeAgreesWithItselfAndWithNoOther) {
  std::vector<uint32_t> every(256);
  std::iota(every.begin(), every.end(), 0u);
  for (const Format* format : {&kE4M3Fn, &kE4M3Fnuz, &kE5M2, &kE8M0, &kInt8}) {
    for (const uint32_t a : every) {
      const auto agrees = [&](uint32_t b) {
        return a == b || (ordinal(*format, a) == kNanOrdinal && ordinal(*format, b) == kNanOrdinal);
      };
      const TensorFinding finding = compare_part(pinned(*format, std::vector(256, a)), tensor_of(*format, every));
      ASSERT_EQ(finding.outside, 256 - std::count_if(every.begin(), every.end(), agrees)) << format->name << " " << a;
      EXPECT_FALSE(agrees(finding.first.code)) << format->name << " " << a;
    }
  }
}

TEST(Compare, OneUlpAsideIsOutsideAndSaysSo) {
  const TensorFinding finding = compare_values(kE4M3Fn, -14, -13);
  EXPECT_EQ(finding.outside, 1);
  EXPECT_EQ(finding.first.code, 0xd5u);
  EXPECT_EQ(finding.first.value, -13);
  EXPECT_EQ(finding.first.low_code, 0xd6u);
  EXPECT_EQ(finding.first.high, -14);
  EXPECT_EQ(finding.first.ulps, 1);
  EXPECT_EQ(finding.worst_ulps, 1);
  EXPECT_EQ(finding.toward_zero, 1);
  EXPECT_EQ(finding.away_from_zero, 0);
  EXPECT_EQ(finding.reason, "pinned: one code");
  EXPECT_EQ(compare_values(kE4M3Fn, -14, -15).away_from_zero, 1);
}

TEST(Compare, SignedZerosAreTwoCodes) {
  EXPECT_TRUE(compare_values(kE4M3Fn, -0.0, -0.0).agrees());
  const TensorFinding finding = compare_values(kE4M3Fn, 0.0, -0.0);
  EXPECT_EQ(finding.outside, 1);
  EXPECT_EQ(finding.first.ulps, 0);
  EXPECT_EQ(finding.toward_zero + finding.away_from_zero, 0);
}

TEST(Compare, NanMatchesOnlyNan) {
  const double nan = std::nan("");
  EXPECT_TRUE(compare_values(kBf16, nan, nan).agrees());
  EXPECT_FALSE(compare_values(kBf16, nan, 1).agrees());
  EXPECT_FALSE(compare_values(kBf16, 1, nan).agrees());
  EXPECT_TRUE(compare_part(pinned(kBf16, {0x7fc0}), tensor_of(kBf16, {0xffff})).agrees()) << "any payload, any sign";
  const int32_t one = ordinal_of_value(kBf16, 1);
  EXPECT_FALSE(compare_interval(kBf16, one, kNanOrdinal, 0x7fc0).agrees())
      << "an interval that reaches the top holds Inf, but not NaN";
  EXPECT_TRUE(compare_interval(kBf16, one, kNanOrdinal, 0x7f80).agrees());
}

TEST(Compare, AnIntervalHoldsItsEndsAndNotItsNeighbours) {
  const int32_t low = ordinal_of_value(kF32, 1), high = low + 2;
  for (int32_t o = low - 1; o <= high + 1; ++o) {
    EXPECT_EQ(compare_interval(kF32, low, high, code_from_ordinal(kF32, o)).agrees(), low <= o && o <= high) << o - low;
  }
  EXPECT_EQ(compare_interval(kF32, low, high, code_from_ordinal(kF32, high + 3)).worst_ulps, 3)
      << "counted from the nearest accepted code";
  EXPECT_EQ(compare_interval(kF32, low, high, code_from_ordinal(kF32, low - 2)).first.ulps, -2);
}

TEST(Compare, BudgetUseIsTheDistanceFromTheMiddleInHalfWidths) {
  const int32_t low = ordinal_of_value(kF32, 1);
  EXPECT_EQ(compare_interval(kF32, low, low + 4, code_from_ordinal(kF32, low + 2)).budget_use, 0);
  EXPECT_EQ(compare_interval(kF32, low, low + 4, code_from_ordinal(kF32, low + 3)).budget_use, 0.5);
  EXPECT_EQ(compare_interval(kF32, low, low + 4, code_from_ordinal(kF32, low)).budget_use, 1);
  EXPECT_EQ(compare_interval(kF32, low, low + 4, code_from_ordinal(kF32, low + 6)).budget_use, 2);
  EXPECT_EQ(compare_values(kF32, 1, 1).budget_use, 0);
}

TEST(Compare, UnjudgedElementsAreCounted) {
  const TensorFinding finding = compare_interval(kBf16, Interval::anything().low, Interval::anything().high, 0x7fc0);
  EXPECT_TRUE(finding.agrees());
  EXPECT_EQ(finding.unjudged, 1);
  EXPECT_EQ(finding.single_code, 0);
  EXPECT_FALSE(compare_interval(kBf16, Interval::anything().low, kNanOrdinal - 1, 0x7fc0).agrees())
      << "only the whole interval is unjudged";
}

TEST(Compare, SingleCodesAreCountedAlsoAmongIntervals) {
  const int32_t one = ordinal_of_value(kBf16, 1);
  const WholePart expected = whole_part(kBf16, {1, 3}, {one, one, one}, {one, one + 1, one});
  EXPECT_EQ(compare_part(expected, tensor_of(kBf16, {0x3f80, 0x3f80, 0x3f81})).single_code, 2);
  EXPECT_EQ(compare_part(expected, tensor_of(kBf16, {0x3f80, 0x3f80, 0x3f81})).outside, 1);
}

/// INT32_MAX is a valid int32 value, but it is the ordinal of NaN in floating-point formats.
TEST(Interval, TheLargestIntegerIsNoNan) {
  constexpr int32_t kMost = std::numeric_limits<int32_t>::max();
  EXPECT_TRUE((Interval{5, kMost}.holds(kInt32, kMost)));
  EXPECT_FALSE((Interval{5, kMost}.holds(kF32, kMost)));
  EXPECT_TRUE((Interval{kMost, kMost}.holds(kF32, kMost)));
  EXPECT_TRUE(Interval::anything().holds(kF32, kMost));
  EXPECT_FALSE((Interval{std::numeric_limits<int32_t>::min(), 7}.any())) << "open below alone is a set like others";
  EXPECT_FALSE((Interval{std::numeric_limits<int32_t>::min(), 7}.holds(kInt32, 8)));
}

}  // namespace
}  // namespace assay
