// The row_norm flow against straight programs in MPFR, written by hand from contracts/norm.md 1.1 and 2.1 and from nothing else.
#include "reference/flow/row_norm/row_norm.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <sstream>

#include "reference/contracts/rows.h"
#include "reference/flow/row.h"
#include "reference/testing/f32.h"
#include "reference/testing/real.h"

namespace assay {
namespace {

constexpr char kNA[] = "vllm.rms_norm@v0.19.1", kNB[] = "vllm.rms_norm@2026-06-18", kFused[] = "assay.rms_norm_group_packed";
constexpr double kEps = 1e-6;

Contract contract_of(const char* id, const Format& x) {
  static const ContractTables tables = ContractTables::load("reference/contracts");
  return bind(tables, id, x);
}

struct Row {
  std::vector<double> x, gamma;
};

/// A row as models have it: x ~ N(0, scale), gamma ~ N(1, 0.1), both in the input format.
Row normal_row(const Format& format, int n, unsigned seed, double scale = 1) {
  std::mt19937 engine(seed);
  std::normal_distribution<double> normal;
  Row row;
  for (int i = 0; i < n; ++i) row.x.push_back(nearest(format, scale * normal(engine))), row.gamma.push_back(nearest(format, 1 + 0.1 * normal(engine)));
  return row;
}

double fl(const Real& x) { return nearest(kF32, x); }

/// 1 / sqrt(mean of squares + eps) in 400 bits.
Real exact_factor(const Row& row, double eps) {
  Real sum = 0;
  for (double v : row.x) sum += Real(v) * Real(v);
  return in_reals(mpfr_rec_sqrt, sum / Real(double(row.x.size())) + Real(fl(eps)));
}

using Program = std::function<double(const Format&, double x, double w, double r)>;

/// N-A: rounded to the input format before the weight.
double round_first(const Format& f, double x, double w, double r) {
  const double normalised = nearest(f, fl(Real(x) * Real(r)));
  return nearest(f, fl(Real(normalised) * Real(w)));
}
/// N-B: f32 across the weight.
double round_last(const Format& f, double x, double w, double r) { return nearest(f, fl(Real(fl(Real(x) * Real(r))) * Real(w))); }

bool inside(Span span, double value) { return span.low <= value && value <= span.high; }

/// The f32 numbers of a span, evenly spread, both ends among them.
std::vector<double> numbers_of(Span span, int64_t count) {
  const int64_t low = ordinal_of_value(kF32, span.low), high = ordinal_of_value(kF32, span.high);
  std::vector<double> all;
  for (int64_t i = 0; i < count; ++i) all.push_back(decode(kF32, code_from_ordinal(kF32, int32_t(low + (high - low) * i / (count - 1)))));
  return all;
}

/// The first element where a program and the flow differ, for r at hand: as points they are equal, in the row's span they are members.
std::string disagreement(const char* id, const Format& format, const Program& program) {
  const Contract contract = contract_of(id, format);
  for (double scale : {1.0, 0x1p-8, 0x1p-13, 40.0}) {
    const Row row = normal_row(format, 512, 81, scale);
    const RowOutputs out = evaluate_row(contract, {row.x, row.gamma, kEps, 0}, nullptr, format);
    for (double r : numbers_of(out.r, 5)) {
      const Spans y = norm_outputs(*contract.row_norm(), Spans(row.x), Spans(row.gamma), point(r));
      for (size_t i = 0; i < row.x.size(); ++i) {
        const double expected = program(format, row.x[i], row.gamma[i], r);
        if (y[i].pinned() && same_number(y[i].low, expected) && inside(out.y[i], expected)) continue;
        std::ostringstream text;
        text << std::hexfloat << id << " " << format.name << " x = " << row.x[i] << " w = " << row.gamma[i] << " r = " << r << ": " << expected
             << " for " << y[i].low << ", accepted " << out.y[i].low << " .. " << out.y[i].high;
        return text.str();
      }
    }
  }
  return {};
}

TEST(NormTwin, BothProfilesEqualTheProgramsWrittenByHandForEveryLegalFactor) {
  for (const Format* format : {&kBf16, &kF16, &kF32}) {
    EXPECT_EQ(disagreement(kNA, *format, round_first), "");
    EXPECT_EQ(disagreement(kNB, *format, round_last), "");
  }
}

TEST(NormTwin, TheOtherProfileAndOneMistakeAreSeen) {
  for (const Format* format : {&kBf16, &kF16}) {
    EXPECT_NE(disagreement(kNA, *format, round_last), "") << format->name;
    EXPECT_NE(disagreement(kNB, *format, round_first), "") << format->name;
  }
  const Program folded = [](const Format& f, double x, double w, double r) { return nearest(f, fl(Real(x) * Real(fl(Real(r) * Real(w))))); };
  EXPECT_NE(disagreement(kNB, kF32, folded), "") << "x (r w) is not (x r) w";
  const Program without_weight = [](const Format& f, double x, double, double r) { return nearest(f, fl(Real(x) * Real(r))); };
  EXPECT_NE(disagreement(kNB, kBf16, without_weight), "");
}

Span factor_span(const Row& row, double eps, const Format& format, const char* id = kNB) {
  const Contract contract = contract_of(id, format);
  const RowNorm& norm = *contract.row_norm();
  return norm_factor(norm, norm_row(norm, row.x, {}, format), eps);
}

TEST(NormTwin, TheFactorOfHighPrecisionLiesInTheSpanAndOthersDoNot) {
  for (const Format* format : {&kBf16, &kF16, &kF32}) {
    for (int n : {1, 8, 511, 2048, 7168}) {
      for (double eps : {0.0, 1e-6, 1e-5}) {
        const Row row = normal_row(*format, n, 82, 0x1p-6);
        const Span span = factor_span(row, eps, *format);
        const Real exact = exact_factor(row, eps);
        EXPECT_TRUE(Real(span.low) <= exact && exact <= Real(span.high)) << format->name << " " << n << " " << eps;
        EXPECT_FALSE(inside(span, fl(exact * Real("1.0001"))));
        if (n == 1) continue;
        Row short_of_one = row;
        *std::max_element(short_of_one.x.begin(), short_of_one.x.end()) = 0;
        EXPECT_FALSE(inside(span, fl(exact_factor(short_of_one, eps)))) << "a lost element of " << n;
      }
    }
  }
}

TEST(NormTwin, FactorsOfFloatProgramsInManyOrdersLieInTheSpan) {
  std::mt19937 engine(83);
  for (int n : {64, 1000, 7168}) {
    const Row row = normal_row(kBf16, n, 84);
    const Span span = factor_span(row, kEps, kBf16);
    for (int trial = 0; trial < 50; ++trial) {
      const int threads = 1 << (5 + engine() % 6);
      std::vector<float> partial(size_t(threads), 0.0f);
      for (int i = 0; i < n; ++i) partial[size_t(i % threads)] += float(row.x[size_t(i)]) * float(row.x[size_t(i)]);
      for (int half = threads / 2; half > 0; half /= 2)
        for (int t = 0; t < half; ++t) partial[size_t(t)] += partial[size_t(t + half)];
      const int per_thread = (n + threads - 1) / threads;
      if (per_thread > 28) continue;  // longer paths than this row's kernel has
      const float right = 1.0f / std::sqrt(partial[0] / float(n) + float(kEps));
      ASSERT_TRUE(inside(span, double(right))) << n << " over " << threads;
    }
    EXPECT_FALSE(inside(span, 0.5 * span.low));
  }
}

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

// ---- one r for the whole row

/// What a kernel stores that takes r_of(i) for element i; one of two factors.
StoredRow stored_with(const Contract& contract, const Row& row, const std::function<double(size_t)>& r_of) {
  StoredRow stored;
  const Spans low = norm_outputs(*contract.row_norm(), Spans(row.x), Spans(row.gamma), point(r_of(0)));
  const Spans high = norm_outputs(*contract.row_norm(), Spans(row.x), Spans(row.gamma), point(r_of(row.x.size() - 1)));
  for (size_t i = 0; i < row.x.size(); ++i) stored.y.push_back(r_of(i) == r_of(0) ? low[i].low : high[i].low);
  return stored;
}

/// A row with open outputs in both halves. In bf16 and N-A all products with one of the 128 significands of x are open or none is.
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
  const Contract fused = contract_of(kFused, kBf16), norm = contract_of(kNB, kBf16), quant = contract_of("vllm.group_fp8_packed", kBf16);
  const Row row = normal_row(kBf16, 1024, 94);
  const RowInputs inputs{row.x, row.gamma, kEps, 128};
  const RowOutputs out = evaluate_row(fused, inputs, nullptr, kBf16);
  EXPECT_EQ(out.y.size(), 0u) << "the normalised row is no output of the fused op";
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
  EXPECT_NE(reason.find("tree of depth 45"), std::string::npos) << reason;
  EXPECT_NE(reason.find("rsqrt~2"), std::string::npos) << reason;
  EXPECT_EQ(norm_reason(nb, norm_row(nb, {1, HUGE_VAL}, {}, kBf16), kEps), "r pinned");
}

}  // namespace
}  // namespace assay
