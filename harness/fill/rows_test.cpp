// Generators for the ends of groups, rows and blocks, and for rows after a row with NaN or Inf.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "harness/testing/fill_samples.h"

namespace assay {
namespace {

using namespace assay::testing;

size_t place_of_largest(const std::vector<double>& x, size_t begin, size_t end) {
  const auto less = [](double a, double b) { return std::fabs(a) < std::fabs(b); };
  return size_t(std::max_element(x.begin() + long(begin), x.begin() + long(end), less) - x.begin());
}

TEST(Fill, EndsHaveTheLargestOfEachGroup) {
  const std::vector<double> x = values(filled("ends"));
  int first = 0, last = 0;
  for (size_t begin = 0; begin < x.size(); begin += kGroup) {
    const size_t place = place_of_largest(x, begin, begin + kGroup);
    first += place == begin, last += place == begin + kGroup - 1;
  }
  EXPECT_EQ(first + last, int(x.size() / kGroup));
  EXPECT_GT(first, 0);
  EXPECT_GT(last, first) << "the last group of a row has it in the row's last place";
}

TEST(Fill, EndsHaveTheLargestOfTheRowsOfABlockInTheLast) {
  HostTensor tensor{dense("x", Role::kInput, kBf16, {200, 130}), {}};
  fill(tensor, {.name = "ends", .seed = 1, .group_size = 128});
  const std::vector<double> x = values(tensor);
  EXPECT_EQ(place_of_largest(x, 0, 128 * 130) / 130, 127u);
  EXPECT_EQ(place_of_largest(x, 128 * 130, 200 * 130) / 130, 199u);
}

TEST(Fill, RowsOfZerosStandBehindSpoiledOnes) {
  const std::vector<double> x = values(filled("spoiled_rows"));
  for (int64_t row = 0; row < kRows; ++row) {
    int nan = 0, inf = 0, zero = 0;
    for (int64_t i = row * kColumns; i < (row + 1) * kColumns; ++i)
      nan += std::isnan(x[size_t(i)]), inf += std::isinf(x[size_t(i)]), zero += x[size_t(i)] == 0;
    EXPECT_EQ(nan, row % 6 == 1) << row;
    EXPECT_EQ(inf, row % 6 == 3) << row;
    EXPECT_EQ(zero, row % 6 == 2 || row % 6 == 4 ? kColumns : 0) << row;
  }
}

}  // namespace
}  // namespace assay
