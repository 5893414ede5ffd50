// What all outputs of a row together allow as its factor, and norms in chains.
#include <gtest/gtest.h>

#include <functional>

#include "reference/contracts/rows.h"
#include "reference/flow/row.h"
#include "reference/flow/row_norm/row_norm.h"
#include "reference/testing/f32.h"
#include "reference/testing/norm_rows.h"
#include "reference/testing/real.h"

namespace assay::joint_test {
namespace {

using namespace norm_rows;

// ---- one r for the whole row

/// What a kernel stores that takes r_of(i) for element i; one of two factors.
StoredRow stored_with(const Contract& contract, const Row& row, const std::function<double(size_t)>& r_of) {
  StoredRow stored;
  const Spans low = norm_outputs(*contract.row_norm(), Spans(row.x), Spans(row.gamma), point(r_of(0)));
  const Spans high = norm_outputs(*contract.row_norm(), Spans(row.x), Spans(row.gamma), point(r_of(row.x.size() - 1)));
  for (size_t i = 0; i < row.x.size(); ++i) stored.y.push_back(r_of(i) == r_of(0) ? low[i].low : high[i].low);
  return stored;
}

/// A row with open outputs in both halves. In bf16 and N-A all products with one of the 128 significands of x are open or none
/// is.
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
}  // namespace assay::joint_test
