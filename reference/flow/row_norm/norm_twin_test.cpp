// Norms against programs in MPFR written by hand, for every factor that a contract allows.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <sstream>

#include "reference/contracts/rows.h"
#include "reference/flow/row.h"
#include "reference/flow/row_norm/row_norm.h"
#include "reference/testing/f32.h"
#include "reference/testing/norm_rows.h"
#include "reference/testing/real.h"
#include "reference/testing/twins.h"

namespace assay::norm_twin {
namespace {

using namespace norm_rows;

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

/// The first element where a program and the flow differ, for r at hand: as points they are equal, in the row's span they are
/// members.
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
      if (per_thread > 28) continue;  // longer paths than this row's kernel has
      const float right = 1.0f / std::sqrt(partial[0] / float(n) + float(kEps));
      ASSERT_TRUE(inside(span, double(right))) << n << " over " << threads;
    }
    EXPECT_FALSE(inside(span, 0.5 * span.low));
  }
}

}  // namespace
}  // namespace assay::norm_twin
