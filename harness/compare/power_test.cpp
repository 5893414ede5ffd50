// Counts of what an answer demands, on answers small enough to count by hand.
#include "harness/compare/power.h"

#include <gtest/gtest.h>

#include <cmath>

#include "harness/testing/whole_part.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

DataPower power_of(const Format& format, const std::vector<double>& low, const std::vector<double>& high = {}) {
  WholePart expected = testing::whole_part(format, {1, int64_t(low.size())}, {});
  for (const double value : low) expected.low.push_back(ordinal_of_value(format, value));
  for (const double value : high) expected.high.push_back(ordinal_of_value(format, value));
  return data_power(expected);
}

TEST(DataPower, CountsEachCodeOnce) {
  const DataPower power = power_of(kE4M3Fn, {1, 1, -1, 0.0, -0.0});
  EXPECT_EQ(power.elements, 5);
  EXPECT_EQ(power.codes.count(), 4u);
  EXPECT_TRUE(power.codes.test(0x38) && power.codes.test(0xb8) && power.codes.test(0x00) && power.codes.test(0x80));
}

TEST(DataPower, AllCodesAreVisitedByAllCodes) {
  for (const Format* format : {&kE4M3Fn, &kE4M3Fnuz, &kE8M0, &kInt8}) {
    WholePart expected = testing::whole_part(*format, {1, 256}, {});
    for (uint32_t code = 0; code < 256; ++code) expected.low.push_back(ordinal(*format, code));
    const size_t nans = *format == kE4M3Fn ? 2 : 1;  // one of them is the canonical NaN
    EXPECT_EQ(data_power(expected).codes.count(), 256u - (nans - 1)) << format->name;
  }
}

TEST(DataPower, SubnormalSaturatedAndNan) {
  const DataPower power = power_of(kE4M3Fn, {0x1p-9, -0x1.cp-7, 0x1p-6, 0, 448, -448, 416, std::nan("")});
  EXPECT_EQ(power.subnormal, 2) << "0 is not, and 2^-6 is the smallest normal number";
  EXPECT_EQ(power.saturated, 2);
  EXPECT_EQ(power.not_a_number, 1);
  EXPECT_EQ(power_of(kBf16, {1, HUGE_VAL}).saturated, 0) << "an overflow is no saturation";
  EXPECT_EQ(power_of(kE8M0, {0x1p-127, 0x1p127}).subnormal, 0);
  EXPECT_EQ(power_of(kE8M0, {0x1p-127, 0x1p127}).saturated, 1);
  EXPECT_EQ(power_of(kInt8, {1, -127, 127, -128}).subnormal, 0);
}

TEST(DataPower, AnIntervalCountsWhereEveryCodeOfItWould) {
  const DataPower power = power_of(kE4M3Fn, {1, 0x1p-9, 0x1p-9, -0x1p-9}, {2, 0x1p-8, 1, 0x1p-9});
  EXPECT_EQ(power.codes.count(), 0u) << "none of these codes must be returned";
  EXPECT_EQ(power.subnormal, 1);
}

TEST(DataPower, WhatAcceptsAnythingDemandsNothing) {
  const WholePart expected = testing::whole_part(kE4M3Fn, {1, 1}, {Interval::anything().low}, {Interval::anything().high});
  EXPECT_EQ(data_power(expected).codes.count(), 0u);
  EXPECT_EQ(data_power(expected).not_a_number, 0);
}

}  // namespace
}  // namespace assay
