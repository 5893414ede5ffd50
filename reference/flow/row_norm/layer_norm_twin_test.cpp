// Norms that take the mean off, against straight programs in float and in MPFR, written by hand from contracts/norm.md 8 and from
// nothing else.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "reference/contracts/rows.h"
#include "reference/flow/row_norm/deviations.h"
#include "reference/flow/row.h"
#include "reference/flow/row_norm/row_norm.h"
#include "reference/testing/f32.h"
#include "reference/testing/real.h"
#include "reference/testing/twins.h"

namespace assay::layer_norm_twin {
namespace {

constexpr char kTwoPass[] = "flashinfer.layer_norm", kOnePass[] = "trtllm.layer_norm_squares";
constexpr double kEps = 1e-6;

/// x ~ N(mean, 1) in the input format; gamma ~ N(1, 0.1) and beta ~ N(0, 1) in fp32.
RowInputs normal_row(const Format& format, int n, unsigned seed, double mean) {
  std::mt19937 engine(seed);
  std::normal_distribution<double> normal;
  RowInputs row;
  row.eps = kEps;
  for (int i = 0; i < n; ++i) {
    row.x.push_back(nearest(format, mean + normal(engine)));
    row.gamma.push_back(nearest(kF32, 1 + 0.1 * normal(engine)));
    row.beta.push_back(nearest(kF32, normal(engine)));
  }
  return row;
}

constexpr int kChain = 3;

/// Sums of four neighbours, or of four that lie a quarter of the row apart, and then by halves; by halves alone; one by one,
/// which is deeper than the trees of the contracts.
float sum_of(std::vector<float> terms, int order) {
  const size_t each = order == kChain ? terms.size() : 4, chains = terms.size() / each;
  if (order != 2) {
    std::vector<float> sums(chains, 0.0f);
    for (size_t i = 0; i < terms.size(); ++i) sums[order == 1 ? i % chains : i / each] += terms[i];
    terms = sums;
  }
  for (size_t n = terms.size(); n > 1; n = (n + 1) / 2)
    for (size_t i = 0; i < n / 2; ++i) terms[i] += terms[n - 1 - i];
  return terms[0];
}

/// How one kernel may go about it, and how one may go wrong.
struct Way {
  int order = 0;
  bool fused = false, one_pass = false;
  bool keeps_mean = false, less_one = false, no_beta = false, rounds_first = false;
};

std::vector<double> layer_norm(const Format& format, const RowInputs& row, const Way& way) {
  const float n = float(row.x.size());
  std::vector<float> x(row.x.begin(), row.x.end()), squares;
  const float mean = sum_of(x, way.order) / n;
  for (float v : x) squares.push_back(way.one_pass ? v * v : (v - mean) * (v - mean));
  float variance = sum_of(squares, way.order) / (way.less_one ? n - 1 : n);
  if (way.one_pass) variance -= mean * mean;
  const float r = float(nearest(kF32, in_reals(mpfr_rec_sqrt, Real(double(variance + float(row.eps))))));
  std::vector<double> y;
  for (size_t i = 0; i < x.size(); ++i) {
    float v = (way.keeps_mean ? x[i] : x[i] - mean) * r;
    if (way.rounds_first) v = float(nearest(format, double(v)));
    const float w = float(row.gamma[i]), b = way.no_beta ? 0.0f : float(row.beta[i]);
    y.push_back(nearest(format, double(way.fused ? std::fma(v, w, b) : float(v * w) + b)));
  }
  return y;
}

bool inside(Span span, double value) { return span.any() || (span.low <= value && value <= span.high); }

int64_t outside(const Spans& spans, const std::vector<double>& values) {
  int64_t count = 0;
  for (size_t i = 0; i < values.size(); ++i) count += !inside(spans[i], values[i]);
  return count;
}

/// Outputs of a program that a contract does not take, over formats and means.
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

// ---- the two sums

struct TreeSum {
  float sum;
  int depth;
};

/// The sum of a tree of random shape.
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

// ---- sharpness, and one r for the whole row

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
}  // namespace assay::layer_norm_twin
