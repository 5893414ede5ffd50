// Error statistics of unknown kernels: where they have power, they reject a kernel whose errors match no known algorithm, and
// never a correct one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "harness/compare/compare.h"
#include "reference/formats/catalogue.h"
#include "suites/gemm/statistics.h"
#include "suites/testing/unknown_gemm.h"

namespace assay::unknown_gemm_test {
namespace {

using testing::HasSubstr;

const TestCells kPositive = {
    {"fill", "amax_scaled_positive"}, {"b", "amax_scaled_positive"}, {"m", "24"}, {"n", "24"}, {"k", "512"}};

/// Outputs whose elements are right one by one, each at the end of its interval that lies farther from zero: nothing is lost.
std::vector<HostTensor> at_far_ends(const Problem& problem, const Answer& answer) {
  const WholePart d = computed(answer)[0];
  std::vector<HostTensor> outputs = outputs_of(problem, answer);
  for (size_t i = 0; i < d.high.size(); ++i) outputs[0].set_code(int64_t(i), code_from_ordinal(kF32, d.high[i]));
  return outputs;
}

TEST(UnknownGemm, WhatEveryMemberMakesHasErrorsOfAKnownProgram) {
  const Case one = case_with(kPositive);
  const Problem problem = gemm().bind(one)->problem();
  const Expectation expectation = gemm().bind(one)->expect(problem, nullptr);
  for (const auto& made : made_by_members(read_gemm_case(one), problem)) EXPECT_TRUE(compare(expectation, made, {{}}).agrees());
}

/// A kernel that widens fp8 to f16 and adds in fp32 loses less than every known program.
TEST(UnknownGemm, ErrorsThatAreSmallerThanThoseOfAnyProgramPass) {
  const Case one = case_with(kPositive);
  const Problem problem = gemm().bind(one)->problem();
  const Expectation expectation = gemm().bind(one)->expect(problem, nullptr);
  EXPECT_TRUE(compare(expectation, at_far_ends(problem, expectation.any_of.front()), {{}}).agrees());
  const auto statistics = error_statistics(read_gemm_case(one));
  ErrorStatistics::OfParts seen{};
  EXPECT_FALSE(statistics->refutes(seen));
  for (ErrorStatistic& part : seen) part.spread = 1;
  EXPECT_TRUE(statistics->refutes(seen));
  for (const double bias : {-1.0, 1.0}) {
    for (ErrorStatistic& part : seen) part = {bias, 0};
    EXPECT_TRUE(statistics->refutes(seen)) << bias;
  }
}

TEST(UnknownGemm, TheVerdictOnErrorsIsGivenWhereItHasPower) {
  TestCells signs = kPositive;
  signs["fill"] = "amax_scaled", signs["y"] = "bf16";
  const auto words = [](const TestCells& cells) { return error_statistics(read_gemm_case(case_with(cells)))->words(); };
  // Errors with a bit less are no larger than those of the coarsest program, so they refute nothing.
  EXPECT_THAT(words(kPositive), HasSubstr("no power here: errors with one fraction bit less"));
  EXPECT_THAT(words(signs), HasSubstr("no power here: errors with one fraction bit less"));
  EXPECT_THAT(words({{"m", "23"}, {"n", "24"}}), HasSubstr("no power here: 3 parts of d"));
  EXPECT_THAT(words({{"contract", "assay.unknown_fp8_tensor.sm_90"}, {"scales", "tensor"}}),
              HasSubstr("no power here: parts of d share scales"));
}

/// 200 correct kernels, with other seeds than the calibration.
TEST(UnknownGemm, TheVerdictOnErrorsRaisesNoFalseAlarm) {
  const GemmCase c = read_gemm_case(case_with(kPositive));
  const auto statistics = error_statistics(c);
  int alarms = 0, outside = 0;
  for (uint64_t seed = 1000; seed < 1200; ++seed) {
    GemmCase other = c;
    other.seed = seed;
    const Problem problem = gemm_problem(other);
    const Answer answer = expect_product(other, other.contract.members[seed % 3], problem).any_of.front();
    ErrorStatistics::OfParts seen = statistics->of(problem, outputs_of(problem, answer)[0]);
    alarms += statistics->refutes(seen);
    for (ErrorStatistic& part : seen) part.bias -= 0.05;
    outside += statistics->refutes(seen);
  }
  EXPECT_EQ(alarms, 0);
  EXPECT_EQ(outside, 200);
}

}  // namespace
}  // namespace assay::unknown_gemm_test
