// Rounding at and beyond the ends of a format, of scales and of integers matches tables; the next number up or down is the next
// code.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"

namespace assay {
namespace {

/// The code of a float, rounded to nearest even.
uint32_t code(const Format& f, double x, Overflow overflow) {
  return code_of(f, round_to(f, x, Rounding::kNearestEven, overflow));
}

TEST(Round, OverflowSetsInWhereTheNextStepWouldBeNearer) {
  // E4M3 has no Inf
  EXPECT_EQ(code(kE4M3Fn, 464, Overflow::kSpecial), 0x7eu) << "the tie goes to the even code, which is 448";
  EXPECT_EQ(code(kE4M3Fn, 464.00003, Overflow::kSpecial), 0x7fu);
  EXPECT_EQ(code(kE4M3Fn, 464.00003, Overflow::kSaturate), 0x7eu);
  EXPECT_EQ(code(kE4M3Fnuz, std::nextafter(248, 0), Overflow::kSpecial), 0x7fu);
  EXPECT_EQ(code(kE4M3Fnuz, 248, Overflow::kSpecial), 0x80u) << "the tie goes to an even code that does not exist";
  EXPECT_EQ(code(kE5M2, std::nextafter(61440, 0), Overflow::kSpecial), 0x7bu);
  EXPECT_EQ(code(kE5M2, 61440, Overflow::kSpecial), 0x7cu);
  EXPECT_EQ(code(kE5M2Fnuz, 61440, Overflow::kSpecial), 0x80u);
  EXPECT_EQ(code(kE4M3Fn, HUGE_VAL, Overflow::kSaturate), 0x7eu);
  EXPECT_EQ(code(kE4M3Fn, -HUGE_VAL, Overflow::kSpecial), 0x7fu) << "the canonical NaN";
}

TEST(Round, ToZeroBelowHalfOfTheSmallestSubnormalAndAtTheTie) {
  for (const Format* f : {&kE4M3Fn, &kE4M3Fnuz, &kE5M2, &kE5M2Fnuz, &kBf16, &kF16, &kF32}) {
    const double tie = decode(*f, 1) / 2;
    EXPECT_EQ(code(*f, tie, Overflow::kSpecial), 0u) << f->name;
    EXPECT_EQ(code(*f, std::nextafter(tie, 1), Overflow::kSpecial), 1u) << f->name;
  }
  EXPECT_EQ(code(kE4M3Fn, -0x1p-12, Overflow::kSaturate), 0x80u);
  EXPECT_EQ(code(kE4M3Fnuz, -0x1p-12, Overflow::kSaturate), 0x00u) << "0x80 would be NaN";
}

struct ScaleRow {
  double x;
  uint32_t down_saturated, down, up_saturated, up, nearest;
};

TEST(Round, ScalesFollowTheHardwareTable) {
  // Columns RZ sat, RZ nosat, RP sat, RP nosat, torch. Between 2^-127 and 2^-126 torch rounds up where this rounds to nearest.
  const ScaleRow rows[] = {
      {0, 0x00, 0x00, 0x00, 0x00, 0x00},
      {0x1p-149, 0x00, 0x00, 0x00, 0x00, 0x00},
      {0x1p-127, 0x00, 0x00, 0x00, 0x00, 0x00},
      {0x1.000002p-127, 0x00, 0x00, 0x01, 0x01, 0x00},
      {0x1.000002p0, 0x7f, 0x7f, 0x80, 0x80, 0x7f},
      {0x1.7ffffep0, 0x7f, 0x7f, 0x80, 0x80, 0x7f},
      {1.5, 0x7f, 0x7f, 0x80, 0x80, 0x80},
      {3.0, 0x80, 0x80, 0x81, 0x81, 0x81},
      {-1.0, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f},
      {0x1.000002p127, 0xfe, 0xfe, 0xfe, 0xff, 0xfe},
      {0x1.8p127, 0xfe, 0xfe, 0xfe, 0xff, 0xff},
      {HUGE_VAL, 0xfe, 0xff, 0xfe, 0xff, 0xff},
      {std::nan(""), 0xff, 0xff, 0xff, 0xff, 0xff},
  };
  for (const ScaleRow& row : rows) {
    const auto byte = [&](Rounding mode, Overflow overflow) { return code_of(kE8M0, round_to(kE8M0, row.x, mode, overflow)); };
    EXPECT_EQ(byte(Rounding::kTowardZero, Overflow::kSaturate), row.down_saturated) << row.x;
    EXPECT_EQ(byte(Rounding::kTowardZero, Overflow::kSpecial), row.down) << row.x;
    EXPECT_EQ(byte(Rounding::kUp, Overflow::kSaturate), row.up_saturated) << row.x;
    EXPECT_EQ(byte(Rounding::kUp, Overflow::kSpecial), row.up) << row.x;
    EXPECT_EQ(byte(Rounding::kNearestEven, Overflow::kSpecial), row.nearest)
        << row.x << ": the midpoint goes up whatever the code";
  }
}

TEST(Round, IntegersClampAndKnowTheirTies) {
  const auto to_int8 = [](double x, Rounding mode) { return round_to(kInt8, x, mode, Overflow::kSaturate); };
  EXPECT_EQ(to_int8(2.5, Rounding::kNearestEven), 2);
  EXPECT_EQ(to_int8(2.5, Rounding::kNearestAway), 3);
  EXPECT_EQ(to_int8(-2.9, Rounding::kTowardZero), -2);
  EXPECT_EQ(to_int8(-2.1, Rounding::kDown), -3);
  EXPECT_EQ(to_int8(2.1, Rounding::kUp), 3);
  EXPECT_EQ(to_int8(127.5, Rounding::kNearestEven), 127);
  EXPECT_EQ(to_int8(-1e30, Rounding::kNearestEven), -128);
  EXPECT_EQ(to_int8(HUGE_VAL, Rounding::kNearestEven), 127);
}

TEST(Round, NextUpAndNextDownWalkEveryCode) {
  for (const Format& f : all_formats()) {
    if (f.bits > 16) continue;
    std::vector<double> values;  // ascending; the two zeros count as one
    for (uint32_t c = 0; c < f.code_count(); ++c)
      if (const double v = decode(f, c); !std::isnan(v)) values.push_back(v);
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
    for (size_t i = 0; i + 1 < values.size(); ++i) {
      ASSERT_EQ(next_up(f, values[i]), values[i + 1]) << f.name << " above " << values[i];
      ASSERT_EQ(next_down(f, values[i + 1]), values[i]) << f.name << " below " << values[i + 1];
      ASSERT_NO_THROW(code_of(f, next_up(f, values[i])));
    }
    EXPECT_EQ(next_up(f, values.back()), values.back()) << f.name;
    EXPECT_EQ(next_down(f, values.front()), values.front()) << f.name;
  }
  EXPECT_TRUE(std::isnan(next_up(kF32, std::nan(""))));
  EXPECT_TRUE(std::isnan(next_down(kF32, std::nan(""))));
  EXPECT_FALSE(std::signbit(next_up(kE4M3Fnuz, -0x1p-10))) << "this format has one zero";
  EXPECT_TRUE(std::signbit(next_up(kE4M3Fn, -0x1p-9))) << "this one has two";
  EXPECT_NE(next_up(kF32, 1.0), next_up(kBf16, 1.0));
}

}  // namespace
}  // namespace assay
