// All outputs of a row together leave one mean and one factor, so that nearly all have one code; rows with two are refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <vector>

#include "reference/flow/row.h"
#include "reference/flow/row_norm/row_norm.h"
#include "reference/formats/catalogue.h"
#include "reference/testing/layer_norms.h"
#include "reference/testing/twins.h"

namespace assay::layer_norm_joint {
namespace {

using namespace layer_norms;

/// Elements of rows of 7168 that may have one code only, given what a program stored in all of the row.
double one_code(const Format& format, double mean) {
  int64_t pinned = 0, all = 0;
  for (unsigned seed = 1; seed <= 8; ++seed) {
    const RowInputs row = normal_row(format, 7168, seed, mean);
    StoredRow stored;
    stored.y = layer_norm(format, row, {.order = int(seed % 3)});
    const RowOutputs out = evaluate_row(contract_of(kTwoPass, format), row, &stored, format);
    EXPECT_EQ(outside(out.y, stored.y) + int64_t(out.joint_violations.size()), 0) << seed;
    for (size_t i = 0; i < out.y.size(); ++i) pinned += out.y[i].pinned();
    all += int64_t(out.y.size());
  }
  return double(pinned) / double(all);
}

TEST(LayerNormTwin, ARowsOutputsTogetherLeaveNearlyAllOneCode) {
  for (double mean : {0.0, 8.0}) {
    EXPECT_GT(one_code(kBf16, mean), 0.999) << mean;
    EXPECT_GT(one_code(kF16, mean), 0.99) << mean;
  }
}

TEST(LayerNormTwin, OneMeanMustExplainTheWholeRow) {
  const Contract contract = contract_of(kTwoPass, kF16);
  const RowInputs row = normal_row(kF16, 7168, 5, 8);
  const NormRow normed = norm_row(*contract.row_norm(), row.x, {}, kF16);
  const auto y_at = [&](double mu) {
    const Span r = norm_factor(*contract.row_norm(), normed, row.eps);
    return norm_outputs(*contract.row_norm(), Spans(row.x), {Spans(row.gamma), Spans(row.beta)}, {point(r.low), point(mu)}).low;
  };
  StoredRow stored;
  stored.y = y_at(normed.mu.low);
  EXPECT_TRUE(evaluate_row(contract, row, &stored, kF16).joint_violations.empty());
  const std::vector<double> other = y_at(normed.mu.high);
  std::copy(other.begin(), other.begin() + 3500, stored.y.begin());
  const RowOutputs mixed = evaluate_row(contract, row, &stored, kF16);
  ASSERT_EQ(mixed.joint_violations.size(), 1u) << "a part of the row with another mean";
  EXPECT_EQ(mixed.joint_violations[0].rfind("no single mean explains the row: y[", 0), 0u) << mixed.joint_violations[0];
}

// The mean is free by depth 2^-24 times the mean of |x|, whatever is left of it; and beta may leave little of an output.
TEST(LayerNormTwin, MostSixteenBitOutputsAt7168HaveOneCode) {
  const auto share = [](const Format& format) {
    int64_t one = 0, all = 0;
    for (unsigned seed = 0; seed < 10; ++seed) {
      const RowOutputs out = evaluate_row(contract_of(kTwoPass, format), normal_row(format, 7168, 80 + seed, 0), nullptr, format);
      for (size_t i = 0; i < out.y.size(); ++i) one += out.y[i].pinned();
      all += int64_t(out.y.size());
    }
    return double(one) / double(all);
  };
  const double bf16 = share(kBf16), f16 = share(kF16), f32 = share(kF32);
  std::printf("%s: one code for %.3f %% of bf16 and %.3f %% of f16 outputs\n", kTwoPass, 100 * bf16, 100 * f16);
  EXPECT_GE(bf16, 0.99);
  EXPECT_GE(f16, 0.96);
  EXPECT_LT(f32, 0.5);
}

TEST(LayerNormTwin, HalfARowWithAnotherFactorIsCaughtAlthoughEachElementPasses) {
  const Contract contract = contract_of(kTwoPass, kF32);
  const RowInputs row = normal_row(kF32, 7168, 75, 0.5);
  const RowOutputs wide = evaluate_row(contract, row, nullptr, kF32);
  const Span mu = norm_row(*contract.row_norm(), row.x, {}, kF32).mu;
  const auto outputs = [&](double r) {
    return norm_outputs(*contract.row_norm(), Spans(row.x), {Spans(row.gamma), Spans(row.beta)}, {point(r), point(mu.low)});
  };
  const Spans low = outputs(wide.r.low), high = outputs(wide.r.high);
  StoredRow one, two;
  for (size_t i = 0; i < row.x.size(); ++i) one.y.push_back(low[i].low), two.y.push_back((i % 2 == 0 ? low : high)[i].low);
  EXPECT_EQ(outside(wide.y, two.y), 0) << "each element passes alone";
  EXPECT_THAT(evaluate_row(contract, row, &one, kF32).joint_violations, testing::IsEmpty());
  EXPECT_THAT(evaluate_row(contract, row, &two, kF32).joint_violations,
              testing::ElementsAre(testing::HasSubstr("needs a larger r")));
}

}  // namespace
}  // namespace assay::layer_norm_joint
