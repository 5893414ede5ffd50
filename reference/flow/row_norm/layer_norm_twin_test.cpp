// Norms that subtract the mean (LayerNorm), compared with straight-line programs in float and MPFR. The programs were written by
// hand from a description of the kernels and share no code with the evaluator.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <initializer_list>

#include "reference/flow/row.h"
#include "reference/flow/row_norm/row_norm.h"
#include "reference/formats/catalogue.h"
#include "reference/testing/layer_norms.h"
#include "reference/testing/real.h"
#include "reference/testing/twins.h"

namespace assay::layer_norm_twin {
namespace {

using namespace layer_norms;
using layer_norms::outside;

constexpr char kOnePass[] = "trtllm.layer_norm_squares";

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
