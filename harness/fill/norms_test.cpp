// Generators of norms: counts the ties in their output.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "harness/testing/fill_samples.h"

namespace assay {
namespace {

using namespace assay::testing;
using ::testing::HasSubstr;

struct NormData {
  std::vector<double> x, gamma;
};

NormData norm_data(const Format& format, int64_t rows, int64_t columns, const std::string& weights = "tie_weights", double offset = 0) {
  HostTensor gamma{dense("gamma", Role::kInput, format, {columns}), {}}, x{dense("x", Role::kInput, format, {rows, columns}), {}};
  fill(gamma, {.name = weights, .seed = 1, .tensor = 1});
  const std::vector<FilledOperand> operands = {filled_operand(gamma, offset)};
  fill(x, {.name = "pinned_ties", .seed = 1, .operands = &operands});
  return {values(x), operands.front().values};
}

double rne(const Format& format, double y) { return round_to(format, y, Rounding::kNearestEven, Overflow::kSaturate); }
bool is_half(const Format& format, double y) {
  const double low = round_to(format, y, Rounding::kTowardZero, Overflow::kSaturate);
  return low != y && rne(format, low + (y - low) / 2) == low && y - low == next_code(format, low, y > 0 ? 1 : -1) - y;
}

class PinnedTies : public ::testing::TestWithParam<std::tuple<const Format*, int64_t>> {};

TEST_P(PinnedTies, EveryRowTiesForOneFactorAndRefusesItsNeighbour) {
  const auto [format, columns] = GetParam();
  const NormData data = norm_data(*format, 4, columns);
  for (int64_t row = 0; row < 4; ++row) {
    double squares = 0;
    for (int64_t j = 0; j < columns; ++j) squares += std::pow(data.x[size_t(row * columns + j)], 2);
    const auto mean = float(squares / double(columns));
    EXPECT_EQ(float(double(mean) + 1e-6), mean) << "eps is below the last place";
    const auto r = float(1 / std::sqrt(double(mean)));
    const bool even = row % 2 == 0;
    const float beside = std::nextafterf(r, even ? 1.0f : 0.0f);
    int ties = 0, moved = 0;
    for (int64_t j = 0; j < columns; ++j) {
      const auto x = float(data.x[size_t(row * columns + j)]), w = float(data.gamma[size_t(j)]);
      const float y = x * r * w, other = x * beside * w;
      if (is_half(*format, y)) {
        const bool up = std::fabs(rne(*format, y)) > std::fabs(y);
        ties += up != even;  // even rows have ties that round down, odd rows some that round up
      } else {
        moved += rne(*format, y) != rne(*format, other);
      }
    }
    EXPECT_GT(ties, 0) << "row " << row;
    EXPECT_GT(moved, 0) << "row " << row << ": nothing refuses the neighbour of r";
  }
}

TEST_P(PinnedTies, SquaresAddUpExactlyInAnyOrder) {
  const auto [format, columns] = GetParam();
  const NormData data = norm_data(*format, 4, columns);
  for (int64_t row = 0; row < 4; ++row) {
    float forwards = 0, backwards = 0;
    double exact = 0;
    for (int64_t j = 0; j < columns; ++j) {
      const auto x = float(data.x[size_t(row * columns + j)]), y = float(data.x[size_t(row * columns + columns - 1 - j)]);
      forwards += x * x, backwards += y * y;
      exact += double(x) * double(x);
    }
    EXPECT_EQ(double(forwards), exact);
    EXPECT_EQ(double(backwards), exact);
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, PinnedTies,
                         ::testing::Values(std::tuple(&kBf16, int64_t{1024}), std::tuple(&kBf16, int64_t{1000}),
                                           std::tuple(&kBf16, int64_t{7168}), std::tuple(&kF16, int64_t{1024})));

TEST(Fill, TieWeightsHaveThreesAndEverySignificand) {
  HostTensor gamma{dense("gamma", Role::kInput, kBf16, {1024}), {}}, less = gamma;
  fill(gamma, {.name = "tie_weights", .seed = 1});
  fill(less, {.name = "tie_weights_less_one", .seed = 1});
  const std::vector<double> w = values(gamma), below = values(less);
  std::set<double> significands;
  int threes = 0;
  for (size_t i = 0; i < w.size(); ++i) {
    threes += w[i] == 0.75 || w[i] == 1.5;
    significands.insert(w[i] / std::ldexp(1.0, std::ilogb(w[i])));
    EXPECT_EQ(below[i] + 1, w[i]);
  }
  EXPECT_GE(threes, 256);
  EXPECT_EQ(significands.size(), 128u);
}

TEST(Fill, PinnedTiesOfWeightsThatOneIsAddedTo) {
  const NormData plain = norm_data(kBf16, 2, 1024), gemma = norm_data(kBf16, 2, 1024, "tie_weights_less_one", 1);
  EXPECT_EQ(plain.gamma, gemma.gamma);
  EXPECT_EQ(plain.x, gemma.x);
}

TEST(Fill, PinnedTiesSayWhatTheyLack) {
  HostTensor x{dense("x", Role::kInput, kBf16, {1, 64}), {}};
  try {
    fill(x, {.name = "pinned_ties", .seed = 1});
    FAIL();
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(), HasSubstr("needs the operand gamma"));
  }
  HostTensor wide{dense("x", Role::kInput, kF32, {1, 64}), {}};
  EXPECT_THROW(fill(wide, {.name = "pinned_ties", .seed = 1}), std::invalid_argument);
}

}  // namespace
}  // namespace assay
