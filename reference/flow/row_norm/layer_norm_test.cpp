// Compares layer_norm with MPFR programs, and tests that one mean and one r must explain all outputs of a row.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <initializer_list>
#include <random>
#include <vector>

#include "reference/contracts/contract_rows.h"
#include "reference/flow/row.h"
#include "reference/flow/row_norm/row_norm.h"
#include "reference/formats/catalogue.h"
#include "reference/testing/mpfr_programs.h"
#include "reference/testing/norm_programs.h"

namespace assay::layer_norm_twin {

// Compares norms that subtract the mean (LayerNorm) with programs in float and MPFR. These were written by hand from a
// description of the kernels, and share no code with the evaluator.

namespace {

using namespace layer_norms;
using layer_norms::outside;

constexpr char kOnePass[] = "trtllm.layer_norm_squares";

/// Number of a program's outputs that the contract rejects, over several formats and means.
int64_t outside(const char* id, const Way& way, std::initializer_list<double> means = {0.0, 8.0, -64.0}) {
  int64_t count = 0;
  for (const Format* format : {&kBf16, &kF16, &kF32}) {
    for (double mean : means) {
      const RowInputs row = normal_row(*format, 1024, 71, mean);
      StoredRow stored;
      stored.y = layer_norm(*format, row, way);
      const RowOutputs out = evaluate_row(contract_of(id, *format), row, &stored, *format);
      count += outside(out.y, stored.y) + int64_t(out.joint_violations.size());
    }
  }
  return count;
}

TEST(LayerNormTwin, ProgramsInFloatLieInTheContractWhateverTheirOrderAndWhetherTheyFuse) {
  for (int order : {0, 1, 2})
    for (bool fused : {false, true}) {
      EXPECT_EQ(outside(kTwoPass, {.order = order, .fused = fused}), 0) << order << fused;
      EXPECT_EQ(outside(kOnePass, {.order = order, .fused = fused, .one_pass = true}), 0) << order << fused;
    }
}

TEST(LayerNormTwin, MistakesDoNot) {
  EXPECT_GT(outside(kTwoPass, {.keeps_mean = true}, {8.0}), 1000);
  EXPECT_GT(outside(kTwoPass, {.less_one = true}, {0.0}), 100);
  EXPECT_GT(outside(kTwoPass, {.no_beta = true}, {0.0}), 1000);
  EXPECT_GT(outside(kTwoPass, {.rounds_first = true}, {0.0}), 100);
  EXPECT_GT(outside(kOnePass, {.order = kChain, .one_pass = true}, {8.0}), 0) << "a chain of 1024 in place of a tree";
  EXPECT_GT(outside(kTwoPass, {.one_pass = true}, {-64.0}), 100) << "two large numbers whose difference counts";
}

TEST(LayerNormTwin, ForAMeanAndAFactorAtHandTheOutputIsOneOfTwoNumbers) {
  const Contract contract = contract_of(kTwoPass, kF32);
  const RowInputs row = normal_row(kF32, 4096, 72, 1);
  const double mu = nearest(kF32, 1.01), r = nearest(kF32, 0.97);
  const Spans y = norm_outputs(*contract.row_norm(), Spans(row.x), {Spans(row.gamma), Spans(row.beta)}, {point(r), point(mu)});
  int64_t apart = 0;
  for (size_t i = 0; i < row.x.size(); ++i) {
    const double v = nearest(kF32, Real(nearest(kF32, Real(row.x[i]) - Real(mu))) * Real(r));
    const double rounded = nearest(kF32, Real(nearest(kF32, Real(v) * Real(row.gamma[i]))) + Real(row.beta[i]));
    const double fused = nearest(kF32, Real(v) * Real(row.gamma[i]) + Real(row.beta[i]));
    ASSERT_EQ(y[i].low, std::min(rounded, fused)) << i;
    ASSERT_EQ(y[i].high, std::max(rounded, fused)) << i;
    apart += rounded != fused;
  }
  EXPECT_GT(apart, 100) << "the two are mostly one";
}

}  // namespace

}  // namespace assay::layer_norm_twin

namespace assay::layer_norm_joint {

// All outputs of a row together allow hardly more than one mean and one r, so nearly every element accepts one code. Rows
// computed with two factors are rejected.

namespace {

using namespace layer_norms;

/// Share of elements that accept one code, in rows of 7168, given all outputs of a program.
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

// The error bound of the mean is depth * 2^-24 times the mean of |x|, although elements of both signs cancel in the mean. Where
// beta cancels most of an output, this error is many ulp of the output.
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

namespace assay::joint_test {

// One r must explain all outputs of a row, for a norm alone and in chains.

namespace {

using namespace norm_rows;

// ---- one r for a whole row

/// The outputs of a wrong kernel that multiplies element i by r_of(i), one of two factors.
StoredRow stored_with(const Contract& contract, const Row& row, const std::function<double(size_t)>& r_of) {
  StoredRow stored;
  const Spans low = norm_outputs(*contract.row_norm(), Spans(row.x), Spans(row.gamma), point(r_of(0)));
  const Spans high = norm_outputs(*contract.row_norm(), Spans(row.x), Spans(row.gamma), point(r_of(row.x.size() - 1)));
  for (size_t i = 0; i < row.x.size(); ++i) stored.y.push_back(r_of(i) == r_of(0) ? low[i].low : high[i].low);
  return stored;
}

/// A row with open outputs (more than one accepted code) in both halves. For bf16 with the formula N-A, all elements with the
/// same mantissa of x are open, or none is.
Row row_that_tells_factors_apart(const Contract& contract, const Format& format) {
  for (unsigned seed = 0; seed < 100; ++seed) {
    Row row = normal_row(format, 4 * 7168, 300 + seed);
    const Spans y = evaluate_row(contract, {row.x, row.gamma, kEps, 0}, nullptr, format).y;
    size_t first_half = 0, second_half = 0;
    for (size_t i = 0; i < y.size(); ++i) (2 * i < y.size() ? first_half : second_half) += !y[i].pinned();
    if (first_half > 0 && second_half > 0) return row;
  }
  throw std::logic_error("no such row among 100");
}

int64_t outside(const Spans& spans, const std::vector<double>& stored) {
  int64_t count = 0;
  for (size_t i = 0; i < stored.size(); ++i) count += !inside(spans[i], stored[i]);
  return count;
}

TEST(JointCheck, HalfARowWithAnotherFactorIsCaughtAlthoughEachElementPasses) {
  for (const char* id : {kNA, kNB}) {
    for (const Format* format : {&kBf16, &kF16, &kF32}) {
      const Contract contract = contract_of(id, *format);
      const Row row = row_that_tells_factors_apart(contract, *format);
      const RowInputs inputs{row.x, row.gamma, kEps, 0};
      const Span r = evaluate_row(contract, inputs, nullptr, *format).r;
      const StoredRow halves = stored_with(contract, row, [&](size_t i) { return 2 * i < row.x.size() ? r.low : r.high; });
      const RowOutputs out = evaluate_row(contract, inputs, &halves, *format);
      EXPECT_EQ(outside(out.y, halves.y), 0) << "each element passes alone";
      ASSERT_EQ(out.joint_violations.size(), 1u) << id << " " << format->name;
      EXPECT_NE(out.joint_violations[0].find("needs a larger r"), std::string::npos) << out.joint_violations[0];
    }
  }
}

TEST(JointCheck, OneFactorAnywhereInTheSpanPasses) {
  for (const char* id : {kNA, kNB}) {
    for (const Format* format : {&kBf16, &kF16, &kF32}) {
      const Contract contract = contract_of(id, *format);
      const Row row = normal_row(*format, 7168, 92);
      const RowInputs inputs{row.x, row.gamma, kEps, 0};
      for (double r : numbers_of(evaluate_row(contract, inputs, nullptr, *format).r, 7)) {
        const StoredRow stored = stored_with(contract, row, [&](size_t) { return r; });
        const RowOutputs out = evaluate_row(contract, inputs, &stored, *format);
        EXPECT_EQ(outside(out.y, stored.y), 0);
        EXPECT_TRUE(out.joint_violations.empty()) << id << " " << format->name << ": " << out.joint_violations[0];
      }
    }
  }
}

TEST(JointCheck, AnElementThatFailsByItselfIsNotCountedTwice) {
  const Contract contract = contract_of(kNB, kBf16);
  const Row row = normal_row(kBf16, 1024, 93);
  const RowInputs inputs{row.x, row.gamma, kEps, 0};
  const Span r = evaluate_row(contract, inputs, nullptr, kBf16).r;
  StoredRow stored = stored_with(contract, row, [&](size_t) { return r.low; });
  stored.y[17] *= 2;
  const RowOutputs out = evaluate_row(contract, inputs, &stored, kBf16);
  EXPECT_EQ(outside(out.y, stored.y), 1);
  EXPECT_TRUE(out.joint_violations.empty());
}

TEST(FusedTwin, CodesAndScalesAreThoseOfTheUnfusedPairForTheSameFactor) {
  const Contract fused = contract_of(kFused, kBf16), norm = contract_of(kNB, kBf16),
                 quant = contract_of("vllm.group_fp8_packed", kBf16);
  const Row row = normal_row(kBf16, 1024, 94);
  const RowInputs inputs{row.x, row.gamma, kEps, 128};
  const RowOutputs out = evaluate_row(fused, inputs, nullptr, kBf16);
  EXPECT_EQ(out.y.size(), 0u) << "the normalised row is not an output of the fused op";
  ASSERT_EQ(out.q.size(), 1024u);
  ASSERT_EQ(out.scale.size(), 8u);
  for (double r : numbers_of(out.r, 5)) {
    const Spans y = norm_outputs(*norm.row_norm(), Spans(row.x), Spans(row.gamma), point(r));
    const RowOutputs pair = evaluate_row(quant, {y.low, {}, 0, 128}, nullptr, kBf16);
    for (size_t g = 0; g < 8; ++g) EXPECT_TRUE(inside(out.scale[g], pair.scale[g].low)) << g;
    for (size_t i = 0; i < 1024; ++i) ASSERT_TRUE(inside(out.q[i], pair.q[i].low)) << i;
    const StoredRow stored{{}, pair.q.low, pair.scale.low};
    EXPECT_TRUE(evaluate_row(fused, inputs, &stored, kBf16).joint_violations.empty());
  }
  const Spans twice = norm_outputs(*norm.row_norm(), Spans(row.x), Spans(row.gamma), point(2 * out.r.high));
  const RowOutputs wrong = evaluate_row(quant, {twice.low, {}, 0, 128}, nullptr, kBf16);
  EXPECT_FALSE(inside(out.scale[0], wrong.scale[0].low));
}

TEST(NormReason, NamesTheTreeAndTheSlackStep) {
  const Row row = normal_row(kBf16, 7168, 95);
  const Contract contract = contract_of(kNB, kBf16);
  const RowNorm& nb = *contract.row_norm();
  const std::string reason = norm_reason(nb, norm_row(nb, row.x, {}, kBf16), kEps);
  EXPECT_NE(reason.find("(depth 45)"), std::string::npos) << reason;
  EXPECT_NE(reason.find("rsqrt~2"), std::string::npos) << reason;
  EXPECT_EQ(norm_reason(nb, norm_row(nb, {1, HUGE_VAL}, {}, kBf16), kEps), "r pinned");
}

}  // namespace

}  // namespace assay::joint_test

namespace assay::deviations_test {

// Sums of x, and of squared deviations from the mean, in trees of random shape. They must lie within the bounds for the depth of
// the tree.

namespace {

using namespace layer_norms;

struct TreeSum {
  float sum;
  int depth;
};

/// The sum of the terms in a tree of random shape.
TreeSum random_tree(const std::vector<float>& terms, std::mt19937& engine) {
  std::vector<TreeSum> leaves;
  for (float term : terms) leaves.push_back({term, 0});
  while (leaves.size() > 1) {
    const size_t i = engine() % leaves.size();
    const TreeSum a = leaves[i];
    leaves[i] = leaves.back(), leaves.pop_back();
    TreeSum& b = leaves[engine() % leaves.size()];
    b = {a.sum + b.sum, std::max(a.depth, b.depth) + 1};
  }
  return leaves[0];
}

TEST(SignedSum, BoundsHoldForRandomTreesAndNotWithoutTheirDepth) {
  std::mt19937 engine(73);
  int outside_without_depth = 0;
  for (double mean : {0.0, 3.0, 1000.0}) {
    for (int trial = 0; trial < 200; ++trial) {
      const RowInputs row = normal_row(kF32, 200, unsigned(engine()), mean);
      const TreeSum tree = random_tree({row.x.begin(), row.x.end()}, engine);
      ASSERT_TRUE(inside(signed_sum(row.x, tree.depth), double(tree.sum))) << mean;
      outside_without_depth += !inside(signed_sum(row.x, 0), double(tree.sum));
    }
  }
  EXPECT_GT(outside_without_depth, 100);
}

TEST(SignedSum, EdgesAreWhatTheyAre) {
  const double inf = HUGE_VAL, nan = std::nan("");
  EXPECT_TRUE(signed_sum({0.0, -0.0}, 3).pinned());
  EXPECT_TRUE(inside(signed_sum({-0.0, -0.0}, 3), -0.0));
  EXPECT_FALSE(signed_sum({-0.0, -0.0}, 3).pinned()) << "from 0 on it is 0";
  EXPECT_TRUE(signed_sum({3, -2}, 0).pinned());
  EXPECT_EQ(signed_sum({1, inf}, 3).low, inf);
  EXPECT_TRUE(std::isnan(signed_sum({inf, 1, -inf}, 3).low) && signed_sum({inf, 1, -inf}, 3).pinned());
  EXPECT_TRUE(std::isnan(signed_sum({nan, inf}, 3).high));
  EXPECT_TRUE(signed_sum({0x1p127, 0x1p127, -0x1p127, -0x1p127}, 3).any()) << "Inf in one order, 0 in another";
}

TEST(SumOfDeviations, BoundsHoldForRandomTreesAndEveryMeanOfTheSpan) {
  std::mt19937 engine(74);
  int outside_without_depth = 0;
  for (double mean : {0.0, 3.0, 1000.0}) {
    for (int trial = 0; trial < 200; ++trial) {
      const RowInputs row = normal_row(kF32, 200, unsigned(engine()), mean);
      const Span sum = signed_sum(row.x, 20);
      const Span mu{double(float(sum.low) / 200.0f), double(float(sum.high) / 200.0f)};
      for (double m : {mu.low, mu.high, nearest(kF32, (mu.low + mu.high) / 2)}) {
        std::vector<float> terms;
        for (double v : row.x) terms.push_back((float(v) - float(m)) * (float(v) - float(m)));
        const TreeSum tree = random_tree(terms, engine);
        ASSERT_TRUE(inside(sum_of_deviations(row.x, mu, tree.depth), double(tree.sum))) << mean;
        outside_without_depth += !inside(sum_of_deviations(row.x, point(m), -3), double(tree.sum));
      }
    }
  }
  EXPECT_GT(outside_without_depth, 100);
}

TEST(SumOfDeviations, EdgesAreWhatTheyAre) {
  EXPECT_EQ(sum_of_deviations({5, 5, 5}, point(5), 3).high, 0);
  EXPECT_EQ(sum_of_deviations({5, 5, 5}, Span{4, 6}, 0).low, 0) << "one of them is the mean";
  EXPECT_GE(sum_of_deviations({5, 5, 5}, Span{4, 6}, 0).high, 3);
  EXPECT_GT(sum_of_deviations({5, 5, 5}, Span{5.5, 6}, 0).low, 0.7) << "none of them is";
  EXPECT_TRUE(sum_of_deviations({1, 2}, any_number(), 3).any());
  EXPECT_TRUE(std::isnan(sum_of_deviations({1, HUGE_VAL}, point(HUGE_VAL), 3).low)) << "Inf - Inf";
  EXPECT_EQ(sum_of_deviations({1, HUGE_VAL}, point(1), 3).low, HUGE_VAL) << "a mean of something else";
  EXPECT_EQ(sum_of_deviations({0x1p100, 0}, point(0), 3).high, HUGE_VAL);
}

}  // namespace

}  // namespace assay::deviations_test
