// Compares rms_norm with MPFR programs: alone, with a residual, and gated. Also tests bounds of the sum of squares.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>
#include <sstream>

#include "reference/contracts/contract_rows.h"
#include "reference/flow/contract.h"
#include "reference/flow/row.h"
#include "reference/flow/row_norm/row_norm.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"
#include "reference/testing/mpfr_programs.h"
#include "reference/testing/norm_programs.h"

namespace assay::norm_twin {

// Compares norms with hand-written MPFR programs, for every factor r that the contract accepts.

namespace {

using namespace norm_rows;

/// The exact factor 1 / sqrt(mean of squares + eps), with 400 bits.
Real exact_factor(const Row& row, double eps) {
  Real sum = 0;
  for (double v : row.x) sum += Real(v) * Real(v);
  return in_reals(mpfr_rec_sqrt, sum / Real(double(row.x.size())) + Real(fl(eps)));
}

using Program = std::function<double(const Format&, double x, double w, double r)>;

/// Formula N-A: x r is rounded to the input format before it is multiplied by the weight.
double round_first(const Format& f, double x, double w, double r) {
  const double normalised = nearest(f, fl(Real(x) * Real(r)));
  return nearest(f, fl(Real(normalised) * Real(w)));
}

/// Formula N-B: x r w is computed in f32, then rounded to the input format.
double round_last(const Format& f, double x, double w, double r) { return nearest(f, fl(Real(fl(Real(x) * Real(r))) * Real(w))); }

/// The first element in which a program and the evaluation differ. Given one r, both must be equal. Given the interval of r, the
/// program's result must lie in the accepted interval.
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
        text << std::hexfloat << id << " " << format.name << " x = " << row.x[i] << " w = " << row.gamma[i] << " r = " << r
             << ": " << expected << " for " << y[i].low << ", accepted " << out.y[i].low << " .. " << out.y[i].high;
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
  const Program folded = [](const Format& f, double x, double w, double r) {
    return nearest(f, fl(Real(x) * Real(fl(Real(r) * Real(w)))));
  };
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
      if (per_thread > 28) continue;  // this kernel never adds so many squares in one thread
      const float right = 1.0f / std::sqrt(partial[0] / float(n) + float(kEps));
      ASSERT_TRUE(inside(span, double(right))) << n << " over " << threads;
    }
    EXPECT_FALSE(inside(span, 0.5 * span.low));
  }
}

}  // namespace

}  // namespace assay::norm_twin

namespace assay::norm_add_twin {

// Compares norms with a residual to hand-written MPFR programs: how the stored sum is rounded, and whether the rounded or the
// unrounded sum is squared and normalized.

namespace {

constexpr double kEps = 1e-6;

RowInputs inputs_of(const Format& format, int n, unsigned seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<double> normal;
  RowInputs in{{}, {}, kEps, 0};
  for (int i = 0; i < n; ++i) {
    in.x.push_back(nearest(format, normal(engine)));
    in.residual.push_back(nearest(format, 3 * normal(engine)));
    in.gamma.push_back(nearest(format, 0.1 * normal(engine)));
  }
  return in;
}

/// The sums x + residual of a row: as stored, and as normalized.
struct Sums {
  std::vector<double> stored, normalized;
};

Sums sums_of(const Format& format, const RowInputs& in, bool rounded) {
  Sums sums;
  for (size_t i = 0; i < in.x.size(); ++i) {
    const double wide = fl(Real(in.x[i]) + Real(in.residual[i]));
    sums.stored.push_back(nearest(format, wide));
    sums.normalized.push_back(rounded ? sums.stored.back() : wide);
  }
  return sums;
}

Real exact_factor(const std::vector<double>& z) {
  Real sum = 0;
  for (double v : z) sum += Real(v) * Real(v);
  return in_reals(mpfr_rec_sqrt, sum / Real(double(z.size())) + Real(fl(Real(kEps))));
}

bool inside(Span span, const Real& value) { return Real(span.low) <= value && value <= Real(span.high); }

/// The first element in which evaluation and program differ; -1 if there is none.
int disagreement(const char* id, const Format& format, bool rounded, bool plus_one) {
  const RowInputs in = inputs_of(format, 600, 91);
  const Contract contract = contract_of(id, format);
  const RowOutputs out = evaluate_row(contract, in, nullptr, format);
  const Sums sums = sums_of(format, in, rounded);
  if (!inside(out.r, exact_factor(sums.normalized))) return 0;
  const Spans y = norm_outputs(*contract.row_norm(), Spans(norm_row(*contract.row_norm(), in.x, in.residual, format).normalized),
                               Spans(in.gamma), point(out.r.low));
  for (size_t i = 0; i < in.x.size(); ++i) {
    const double w = plus_one ? fl(Real(1) + Real(in.gamma[i])) : in.gamma[i];
    const double expected = nearest(format, fl(Real(fl(Real(sums.normalized[i]) * Real(out.r.low))) * Real(w)));
    if (!out.residual[i].pinned() || out.residual[i].low != sums.stored[i] || y[i].low != expected || !y[i].pinned())
      return int(i);
  }
  return -1;
}

TEST(NormAddTwin, SumsAreRoundedWhereTheRowSaysSo) {
  for (const Format* format : {&kBf16, &kF16}) {
    EXPECT_EQ(disagreement("vllm.fused_add_rms_norm@2026-06-18", *format, true, false), -1) << format->name;
    EXPECT_EQ(disagreement("flashinfer.gemma_fused_add_rms_norm", *format, false, true), -1) << format->name;
  }
}

TEST(NormAddTwin, TheOtherProfileIsSeen) {
  for (const Format* format : {&kBf16, &kF16}) {
    EXPECT_NE(disagreement("vllm.fused_add_rms_norm@2026-06-18", *format, false, false), -1);
    EXPECT_NE(disagreement("flashinfer.gemma_fused_add_rms_norm", *format, true, true), -1);
    EXPECT_NE(disagreement("flashinfer.gemma_fused_add_rms_norm", *format, false, false), -1);
  }
}

TEST(NormAddTwin, TheFactorIsThatOfTheSumThatIsSquared) {
  RowInputs in{std::vector<double>(64, 0x1p-9), std::vector<double>(64, 1), kEps, 0};
  in.residual.assign(64, 1);  // bf16 rounds the sum 1 + 2^-9 to 1
  const auto factor = [&](const char* id) { return evaluate_row(contract_of(id, kBf16), in, nullptr, kBf16).r; };
  const Real rounded = exact_factor(std::vector<double>(64, 1)), wide = exact_factor(std::vector<double>(64, 1 + 0x1p-9));
  EXPECT_TRUE(inside(factor("vllm.fused_add_rms_norm@2026-06-18"), rounded));
  EXPECT_FALSE(inside(factor("vllm.fused_add_rms_norm@2026-06-18"), wide));
  EXPECT_TRUE(inside(factor("flashinfer.fused_add_rms_norm"), wide));
  EXPECT_FALSE(inside(factor("flashinfer.fused_add_rms_norm"), rounded));
}

TEST(NormAddTwin, AStoreThatCutsOffIsNeverLarger) {
  const RowInputs in = inputs_of(kBf16, 600, 92);
  const RowOutputs out = evaluate_row(contract_of("aiter.fused_add_rms_norm_gfx942", kBf16), in, nullptr, kBf16);
  int smaller = 0;
  for (size_t i = 0; i < in.x.size(); ++i) {
    const double wide = fl(Real(in.x[i]) + Real(in.residual[i]));
    ASSERT_LE(std::fabs(out.residual[i].low), std::fabs(wide));
    smaller += out.residual[i].low != nearest(kBf16, wide);
  }
  EXPECT_GT(smaller, 150);  // about half of the elements for which the sum is rounded
}

TEST(NormAddTwin, BeyondItsColumnARowIsMadeOfTheStoredSum) {
  const RowInputs in = inputs_of(kBf16, 8300, 94);
  const Contract contract = contract_of("aiter.opus_fused_add_rms_norm", kBf16);
  const NormRow row = norm_row(*contract.row_norm(), in.x, in.residual, kBf16);
  const Sums sums = sums_of(kBf16, in, false);
  EXPECT_EQ(row.residual, sums.stored);
  EXPECT_EQ(row.summed, sums.normalized);
  int apart = 0;
  for (size_t i = 0; i < in.x.size(); ++i) {
    ASSERT_EQ(row.normalized[i], (i < 8192 ? sums.normalized : sums.stored)[i]) << i;
    apart += i >= 8192 && sums.normalized[i] != sums.stored[i];
  }
  EXPECT_GT(apart, 50);
}

TEST(NormAddTwin, OneFactorMustExplainTheWholeRow) {
  const RowInputs in = inputs_of(kF16, 4096, 93);
  const Contract contract = contract_of("flashinfer.fused_add_rms_norm", kF16);
  const RowOutputs wide = evaluate_row(contract, in, nullptr, kF16);
  const auto y_at = [&](double r) {
    return norm_outputs(*contract.row_norm(), Spans(norm_row(*contract.row_norm(), in.x, in.residual, kF16).normalized),
                        Spans(in.gamma), point(r))
        .low;
  };
  StoredRow stored{y_at(wide.r.low), {}, {}};
  EXPECT_TRUE(evaluate_row(contract, in, &stored, kF16).joint_violations.empty());
  const std::vector<double> other = y_at(wide.r.high);
  std::copy(other.begin() + 2048, other.end(), stored.y.begin() + 2048);
  EXPECT_FALSE(evaluate_row(contract, in, &stored, kF16).joint_violations.empty()) << "half a row with another r";
}

}  // namespace

}  // namespace assay::norm_add_twin

namespace assay::norm_gated_twin {

// Compares a gated norm with a hand-written MPFR program. Programs within the error bounds of their functions must lie in the
// accepted intervals. Programs that drop a part of the activation must not.

namespace {

constexpr double kEps = 1e-6;
constexpr int kColumns = 384;

Contract contract_of(const char* id) {
  static const ContractTables tables = ContractTables::load("reference/contracts");
  return bind(tables, id, kBf16);
}

/// Moves a nonzero number up or down by some fp32 values.
double moved(double v, int steps) {
  for (; steps > 0 && v != 0; --steps) v = next_up(kF32, v);
  for (; steps < 0 && v != 0; ++steps) v = next_down(kF32, v);
  return v;
}

RowInputs inputs_of(unsigned seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<double> normal;
  RowInputs in{{}, {}, kEps, 128};
  for (int i = 0; i < kColumns; ++i) {
    in.x.push_back(nearest(kBf16, normal(engine)));
    in.gamma.push_back(nearest(kBf16, 1 + 0.1 * normal(engine)));
    in.gate.push_back(nearest(kBf16, 4 * normal(engine)));
  }
  return in;
}

enum class Gate { kSilu, kSigmoid, kNone };

/// (x r) w times z sigmoid(z), where exponential and division are off by `off` ulp. Source: aiter fused_fp8_quant.py
/// e4048607.
double output(const RowInputs& in, size_t i, double r, int off, Gate gate) {
  const double g = in.gate[i], e = moved(fl(in_reals(mpfr_exp, Real(-g))), off);
  const double sigmoid = moved(fl(Real(1) / Real(fl(Real(1) + Real(e)))), off);
  const double h = gate == Gate::kSilu ? fl(Real(g) * Real(sigmoid)) : gate == Gate::kSigmoid ? sigmoid : 1.0;
  return fl(Real(fl(Real(fl(Real(in.x[i]) * Real(r))) * Real(in.gamma[i]))) * Real(h));
}

/// Number of columns in which the contract rejects the result of output().
int refused(Gate gate, int off) {
  const RowInputs in = inputs_of(7);
  const Contract contract = contract_of("aiter.fused_rms_gated_fp8_group_quant");
  const double r = evaluate_row(contract, in, nullptr, kBf16).r.low;
  const Spans y = norm_outputs(*contract.row_norm(), Spans(in.x), {Spans(in.gamma), {}, Spans(in.gate)}, point(r));
  int count = 0;
  for (size_t i = 0; i < in.x.size(); ++i) {
    const double v = output(in, i, r, off, gate);
    count += !(y[i].low <= v && v <= y[i].high);
  }
  return count;
}

TEST(NormGatedTwin, ProgramsWithinTheirFreedomAreAccepted) {
  for (const int off : {-2, -1, 0, 1, 2}) EXPECT_EQ(refused(Gate::kSilu, off), 0) << off;
}

TEST(NormGatedTwin, AnotherActivationIsRefused) {
  EXPECT_GT(refused(Gate::kSigmoid, 0), kColumns * 9 / 10);
  EXPECT_GT(refused(Gate::kNone, 0), kColumns * 9 / 10);
  EXPECT_GT(refused(Gate::kSilu, 40), 0) << "an activation that is far off";
}

TEST(NormGatedTwin, ScalesAndCodesAreOfTheProduct) {
  RowInputs in = inputs_of(8);
  for (size_t i = 0; i < 128; ++i) in.gate[i] = 0;  // a group of zeros gets the smallest scale
  const RowOutputs out = evaluate_row(contract_of("aiter.fused_rms_gated_fp8_group_quant"), in, nullptr, kBf16);
  for (size_t group = 0; group < kColumns / 128; ++group) {
    double amax = 0;
    for (size_t i = 128 * group; i < 128 * (group + 1); ++i)
      amax = std::fmax(amax, std::fabs(output(in, i, out.r.low, 0, Gate::kSilu)));
    const double scale = std::fmax(fl(Real(amax) / 448), fl(Real(1) / (448 * 512)));
    EXPECT_LE(out.scale[group].low, scale);
    EXPECT_GE(out.scale[group].high, scale);
    for (size_t i = 128 * group; i < 128 * (group + 1); ++i) {
      const double v = fl(Real(output(in, i, out.r.low, 0, Gate::kSilu)) / Real(scale));
      const double code = round_to(kE4M3Fn, std::fmin(std::fmax(v, -448), 448), Rounding::kNearestEven, Overflow::kSaturate);
      EXPECT_LE(out.q[i].low, code);
      EXPECT_GE(out.q[i].high, code);
    }
  }
  EXPECT_EQ(out.scale[0].low, fl(Real(1) / (448 * 512)));
}

}  // namespace

}  // namespace assay::norm_gated_twin

namespace assay::sum_of_squares_test {

// Sums of squares, added in float in many different orders, must lie within the bounds of the reference. The bounds must be so
// narrow that most outputs accept one code.

namespace {

using namespace norm_rows;

// ---- sums

/// A float sum in a random tree in which each term passes at most `depth` roundings, and the depth of that tree.
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

TEST(WrongSums, AreWhatTheirNamesSay) {
  RowNorm norm = *contract_of("flashinfer.rms_norm", kF32).row_norm();
  const auto sum_of = [&](const std::string& name, std::vector<double> x) {
    norm.sum.start = name;
    return norm_sum(norm, {std::move(x), {}, {}, &kF32, point(0)});
  };
  const auto is = [&](const std::string& name, const std::vector<double>& x, double sum) {
    return inside(sum_of(name, x), sum) && !inside(sum_of("", x), sum);
  };
  const std::vector<double> ones(1000, 1.0);
  EXPECT_TRUE(inside(sum_of("", ones), 1000));
  EXPECT_TRUE(is("partial sums in bf16, one after another", ones, 256)) << "256 + 1 is 256";
  EXPECT_TRUE(is("partial sums in f16, one after another", std::vector<double>(3000, 1.0), 2048));
  EXPECT_TRUE(is("squares and partial sums in f16, one after another", {256}, HUGE_VAL)) << "a square beyond f16";
  EXPECT_TRUE(is("squares rounded to f16", {256}, HUGE_VAL));
  EXPECT_TRUE(is("squares rounded to bf16", {1 + 0x1p-7}, 1 + 0x1p-6)) << "1 + 2^-6 + 2^-14 without its last bit";
  const double cut = (1 + 0x1p-10) * (1 + 0x1p-10);
  EXPECT_TRUE(is("of x truncated to TF32", {1 + 0x1p-10 + 0x1p-11}, cut));
  EXPECT_TRUE(is("of x truncated to TF32", {-1 - 0x1p-11}, 1)) << "toward zero for both signs";
  EXPECT_TRUE(is("of x rounded to bf16", {1 + 0x1p-9}, 1));
  EXPECT_TRUE(is("without the last column", {1, 2, 4}, 5));
  EXPECT_TRUE(is("without the last n mod 64 columns", ones, 960));
  EXPECT_TRUE(is("starts from 1", {1, 2}, 6));
  EXPECT_TRUE(is("starts from -1 in each of 32 lanes", ones, 968));
  norm = *contract_of("flashinfer.layer_norm", kF32).row_norm();
  const auto mean_sum = [&](const std::string& name) {
    norm.sum.start = kOfMean + name;
    return norm_sum_of_x(norm, {1, 2, 4});
  };
  EXPECT_TRUE(inside(mean_sum(""), 7));
  EXPECT_TRUE(inside(mean_sum("starts from 1 in each of 2 lanes"), 9));
  EXPECT_TRUE(inside(mean_sum(kSubtracted), -7));
  const auto sum_of_deviations = [&](const std::string& name) {
    norm.sum.start = name;
    return norm_sum(norm, {{3, 1, 5}, {}, {}, &kF32, point(3)});
  };
  EXPECT_TRUE(inside(sum_of_deviations("deviations"), 8));
  EXPECT_TRUE(inside(sum_of_deviations("adds one column beyond the end, as 0"), 17));
  EXPECT_TRUE(inside(sum_of_deviations("adds columns beyond the end, as 0, up to a multiple of 8"), 53));
  EXPECT_TRUE(is("terms divided by themselves instead of squared", {2, 4, 8}, 3));
  for (const std::string& name : wrong_sums()) EXPECT_NE(name, "") << "the right sum has no name";
}

// ---- width of the accepted interval

/// Share of outputs that accept one code.
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
    EXPECT_LT(f32, 0.5) << id << ": f32 outputs show the whole width of r, so the share is not a constant of the counting";
  }
}

}  // namespace

}  // namespace assay::sum_of_squares_test
