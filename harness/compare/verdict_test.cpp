// Tests that a Picture shows the injected error pattern and nothing else.
#include "harness/compare/verdict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numeric>

#include "harness/compare/compare.h"
#include "harness/testing/toy_op.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

constexpr uint32_t kOne = 0x38, kTwo = 0x40;  // two e4m3fn codes, 8 ulp apart

/// The finding for a tensor that must be 1 everywhere, with 2 where `wrong` returns true.
TensorFinding found(int64_t rows, int64_t columns, const std::function<bool(int64_t, int64_t)>& wrong) {
  const std::vector<int32_t> ones(size_t(rows * columns), ordinal(kE4M3Fn, kOne));
  const WholePart expected = testing::whole_part(kE4M3Fn, {rows, columns}, ones, {}, "pinned: one code");
  HostTensor tensor{dense("q", Role::kOutput, kE4M3Fn, {rows, columns}), {}};
  tensor.bytes.resize(tensor.spec.bytes());
  for (int64_t i = 0; i < rows * columns; ++i) tensor.set_code(i, wrong(i / columns, i % columns) ? kTwo : kOne);
  return testing::compare_part(expected, tensor);
}

/// The cells whose elements are all wrong. Fails if any other cell has a wrong element.
std::vector<std::array<int64_t, 2>> full_cells(const TensorFinding& f) {
  std::vector<std::array<int64_t, 2>> cells;
  for (int64_t r = 0; r < f.picture->rows; ++r) {
    for (int64_t c = 0; c < f.picture->columns; ++c) {
      const int64_t outside = f.picture->outside.at(size_t(r * f.picture->columns + c));
      if (outside == 0) continue;
      EXPECT_EQ(outside, f.picture->cell_elements(r, c, f.shape)) << r << " " << c;
      cells.push_back({r, c});
    }
  }
  return cells;
}

TEST(Picture, WhatAgreesHasNone) {
  EXPECT_FALSE(found(4, 256, [](int64_t, int64_t) { return false; }).picture.has_value());
}

TEST(Picture, OneWrongRowIsOneRowOfCells) {
  const TensorFinding f = found(5, 1024, [](int64_t row, int64_t) { return row == 3; });
  ASSERT_TRUE(f.picture.has_value());
  EXPECT_EQ(f.picture->cell_rows, 1);
  EXPECT_EQ(f.picture->cell_columns, 16);
  EXPECT_EQ(f.picture->columns, 64);
  const auto cells = full_cells(f);
  ASSERT_EQ(cells.size(), 64u);
  for (const auto& cell : cells) EXPECT_EQ(cell[0], 3);
}

TEST(Picture, OneWrongColumnGroupIsAsWideAsTheGroup) {
  const TensorFinding f = found(3, 7168, [](int64_t, int64_t column) { return column / 128 == 5; });
  EXPECT_EQ(f.picture->columns, Picture::kMostColumns);
  EXPECT_EQ(f.picture->cell_columns, 64);
  std::vector<std::array<int64_t, 2>> group;
  for (int64_t row = 0; row < 3; ++row) group.insert(group.end(), {{row, 10}, {row, 11}});
  EXPECT_EQ(full_cells(f), group);
}

TEST(Picture, IsOfBoundedSizeAndCountsItsRaggedEdges) {
  const TensorFinding f = found(130, 300, [](int64_t, int64_t) { return true; });
  EXPECT_EQ(f.picture->rows, 33);
  EXPECT_EQ(f.picture->cell_rows, 4);
  EXPECT_EQ(f.picture->columns, 75);
  EXPECT_EQ(f.picture->cell_elements(32, 74, f.shape), 2 * 4);
  EXPECT_EQ(full_cells(f).size(), size_t(33 * 75));
  EXPECT_EQ(std::accumulate(f.picture->outside.begin(), f.picture->outside.end(), int64_t{0}), f.outside);
}

TEST(Picture, DistancesAreBinnedByPowersOfTwoWithTheirSign) {
  EXPECT_EQ(distance_bin(0), 0);
  EXPECT_EQ(distance_bin(1), 1);
  EXPECT_EQ(distance_bin(-2), -2);
  EXPECT_EQ(distance_bin(3), 2);
  EXPECT_EQ(distance_bin(4), 3);
  EXPECT_EQ(distance_bin(-(int64_t{1} << 32)), -33);
  const TensorFinding f = found(1, 8, [](int64_t, int64_t column) { return column < 3; });
  EXPECT_THAT(f.picture->ulps(), ElementsAre(Pair(distance_bin(8), 3)));
  ASSERT_EQ(f.picture->magnitudes.size(), 1u);
  const Magnitude& ones = f.picture->magnitudes.at(0);
  EXPECT_EQ(ones.elements, 8);
  EXPECT_EQ(ones.outside, 3);
  EXPECT_EQ(ones.worst_ulps, 8);
  EXPECT_EQ(ones.sum_ulps, 24);
}

/// Has one element each for NaN, the sign of zero, and an interval with a width.
TEST(Picture, NanZeroAndBudgetHaveTheirOwnCounts) {
  const auto o = [](double value) { return ordinal_of_value(kBf16, value); };
  const double nan = std::nan("");
  const WholePart expected = testing::whole_part(kBf16, {1, 6}, {o(1), o(nan), o(0), o(1), o(1), o(1)},
                                                 {o(1), o(nan), o(0), o(1) + 4, o(1) + 4, o(1) + 4}, "two codes", "y");
  HostTensor tensor{dense("y", Role::kOutput, kBf16, {1, 6}), {}};
  tensor.bytes.resize(tensor.spec.bytes());
  const uint32_t one = code_of(kBf16, 1);
  const uint32_t codes[] = {code_of(kBf16, nan), one, 0x8000, one + 2, one + 4, one + 5};
  for (int64_t i = 0; i < 6; ++i) tensor.set_code(i, codes[i]);
  const TensorFinding f = testing::compare_part(expected, tensor);
  ASSERT_EQ(f.outside, 4);
  EXPECT_EQ(f.picture->became_nan, 1);
  EXPECT_EQ(f.picture->should_be_nan, 1);
  EXPECT_EQ(f.picture->sign_of_zero, 1);
  EXPECT_THAT(f.picture->ulps(), ElementsAre(Pair(1, 1)));
  EXPECT_EQ(f.picture->budget[0], 1) << "in the middle";
  EXPECT_EQ(f.picture->budget[9], 1) << "at the end of what is accepted";
  EXPECT_EQ(f.picture->budget[10], 1) << "beyond";
  EXPECT_EQ(f.picture->magnitudes.at(Picture::kZero).outside, 1);
  EXPECT_EQ(f.picture->magnitudes.at(Picture::kNotFinite).outside, 1);
  EXPECT_EQ(f.picture->magnitudes.at(0).elements, 4);
}

TEST(Picture, TheWorstElementStandsBetweenItsNeighbours) {
  const TensorFinding row = found(3, 256, [](int64_t r, int64_t c) { return r == 1 && c == 2; });
  ASSERT_EQ(row.picture->around.size(), 7u) << "two to the left, four to the right";
  for (const Element& e : row.picture->around) {
    EXPECT_EQ(e.at[0], 1);
    EXPECT_EQ(e.outside, e.at[1] == 2);
    EXPECT_EQ(e.code, e.outside ? kTwo : kOne);
  }
  const TensorFinding column = found(20, 1, [](int64_t r, int64_t) { return r == 10; });
  ASSERT_EQ(column.picture->around.size(), 9u);
  EXPECT_EQ(column.picture->around.front().at, (std::array<int64_t, 2>{6, 0}));
}

// Tests data_power() on answers small enough to count by hand.

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
    const size_t nans = *format == kE4M3Fn ? 2 : 1;  // of these codes, one is the canonical NaN
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
