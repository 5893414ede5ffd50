// Sums of squares of float programs in many orders lie within bounds that are hardly wider, so that most outputs have one code.
#include <gtest/gtest.h>

#include <algorithm>

#include "reference/contracts/rows.h"
#include "reference/flow/row.h"
#include "reference/flow/row_norm/row_norm.h"
#include "reference/testing/f32.h"
#include "reference/testing/norm_rows.h"
#include "reference/testing/real.h"

namespace assay::sum_of_squares_test {
namespace {

using namespace norm_rows;

// ---- sums

/// A sum in float over a random tree of at most `depth` roundings on any path, and the depth that it has.
struct TreeSum {
  float sum;
  int64_t depth;
};

TreeSum random_tree(std::vector<TreeSum> leaves, std::mt19937& engine, bool balanced) {
  while (leaves.size() > 1) {
    const size_t i = balanced ? 0 : engine() % leaves.size();
    TreeSum a = leaves[i];
    leaves.erase(leaves.begin() + long(i));
    const size_t j = balanced ? 0 : engine() % leaves.size();
    TreeSum& b = leaves[j];
    const TreeSum joined{a.sum + b.sum, std::max(a.depth, b.depth) + 1};
    leaves.erase(leaves.begin() + long(j));
    leaves.push_back(joined);
  }
  return leaves[0];
}

TEST(SumOfSquares, BoundsHoldForRandomTreesOfFloatAdditions) {
  std::mt19937 engine(85);
  for (const Format* format : {&kBf16, &kF16, &kF32}) {
    for (double scale : {1.0, 0x1p-70, 0x1p-74, 0x1p50}) {
      if (*format == kF16 && scale != 1.0) continue;
      for (int trial = 0; trial < 150; ++trial) {
        const Row row = normal_row(*format, 60, unsigned(engine()), scale);
        std::vector<TreeSum> leaves;
        for (double v : row.x) leaves.push_back({float(v) * float(v), 0});
        const TreeSum tree = random_tree(leaves, engine, trial % 2 == 0);
        const Span bounds = sum_of_squares(row.x, tree.depth, *format);
        ASSERT_TRUE(inside(bounds, double(tree.sum))) << format->name << " scale " << scale << " depth " << tree.depth;
      }
    }
  }
}

TEST(SumOfSquares, ALostTermATruncatingAdderAndABoundWithoutDepthAreSeen) {
  std::mt19937 engine(86);
  int outside_without_depth = 0, truncation_seen = 0;
  for (int trial = 0; trial < 50; ++trial) {
    const Row row = normal_row(kBf16, 200, unsigned(engine()));
    std::vector<TreeSum> leaves;
    for (double v : row.x) leaves.push_back({float(v) * float(v), 0});
    const TreeSum tree = random_tree(leaves, engine, false);
    outside_without_depth += !inside(sum_of_squares(row.x, 0, kBf16), double(tree.sum));
    std::vector<double> lost = row.x;
    *std::max_element(lost.begin(), lost.end()) = 0;
    EXPECT_FALSE(inside(sum_of_squares(row.x, 8, kBf16), sum_of_squares(lost, 0, kBf16).low));
    double truncated = 0;
    for (double v : row.x) truncated = round_to(kBf16, truncated + v * v, Rounding::kTowardZero, Overflow::kSpecial);
    truncation_seen += !inside(sum_of_squares(row.x, 200, kBf16), truncated);
  }
  EXPECT_GT(outside_without_depth, 0);
  EXPECT_EQ(truncation_seen, 50) << "a 16-bit accumulator";
}

TEST(SumOfSquares, EdgesAreWhatTheyAre) {
  EXPECT_EQ(sum_of_squares({0, -0.0}, 10, kBf16).high, 0);
  EXPECT_EQ(sum_of_squares({3, 4}, 0, kBf16).low, 25);
  EXPECT_TRUE(sum_of_squares({3, 4}, 0, kBf16).pinned());
  EXPECT_FALSE(sum_of_squares({3, 4}, 2, kBf16).pinned());
  EXPECT_EQ(sum_of_squares({1, HUGE_VAL}, 3, kBf16).low, HUGE_VAL);
  EXPECT_TRUE(std::isnan(sum_of_squares({1, std::nan("")}, 3, kBf16).low));
  EXPECT_EQ(sum_of_squares({0x1p64, 0x1p64}, 3, kBf16).low, HUGE_VAL) << "no partial sum fits in f32";
  EXPECT_EQ(sum_of_squares({0x1p-80}, 3, kBf16).low, 0) << "a square below the range may be flushed to zero by its rounding";
  EXPECT_GT(sum_of_squares({0x1p-80}, 3, kBf16).high, -1);
}

// ---- sharpness

/// Share of outputs with one code.
double share_with_one_code(const char* id, const Format& format) {
  int64_t one = 0, all = 0;
  for (unsigned seed = 0; seed < 40; ++seed) {
    const Row row = normal_row(format, 7168, 90 + seed);
    const RowOutputs out = evaluate_row(contract_of(id, format), {row.x, row.gamma, kEps, 0}, nullptr, format);
    for (size_t i = 0; i < out.y.size(); ++i) one += out.y[i].pinned();
    all += int64_t(out.y.size());
  }
  return double(one) / double(all);
}

TEST(Sharpness, NearlyEverySixteenBitOutputAt7168HasOneCode) {
  for (const char* id : {kNA, kNB}) {
    const double bf16 = share_with_one_code(id, kBf16), f16 = share_with_one_code(id, kF16), f32 = share_with_one_code(id, kF32);
    RecordProperty(std::string(id) + ".bf16", std::to_string(100 * bf16));
    RecordProperty(std::string(id) + ".f16", std::to_string(100 * f16));
    std::printf("%s: one code for %.3f %% of bf16 and %.3f %% of f16 outputs\n", id, 100 * bf16, 100 * f16);
    EXPECT_GE(bf16, 0.999) << id;
    EXPECT_GE(f16, 0.99) << id;
    EXPECT_LT(f32, 0.5) << id << ": f32 outputs show the whole width of r, so the share is no constant of the counting";
  }
}

}  // namespace
}  // namespace assay::sum_of_squares_test
