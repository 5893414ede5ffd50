// Norms that add a residual, against programs in MPFR written by hand: which of the rounded and the unrounded sum is stored,
// squared and normalized.
#include <gtest/gtest.h>

#include <random>

#include "reference/contracts/bind.h"
#include "reference/flow/row_norm/row_norm.h"
#include "reference/formats/catalogue.h"
#include "reference/testing/f32.h"
#include "reference/testing/real.h"
#include "reference/testing/twins.h"

namespace assay::norm_add_twin {
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

/// The sums of a row: as stored, and as normalized.
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

/// A number in the flow's answer that the program does not give; -1 if there is none.
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
  in.residual.assign(64, 1);  // 1 + 2^-9 is 1 in bf16
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
  EXPECT_GT(smaller, 150);  // half of those that need rounding
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
