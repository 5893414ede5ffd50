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

/// A correct kernel has the statistics of some algorithm. Elements may each be within their interval and still match none.
TEST(UnknownGemm, ErrorsOfNoProgramAreRefutedThoughEachIsWithinItsSpan) {
  const Case one = case_with(kPositive);
  const Problem problem = gemm().bind(one)->problem();
  const Expectation expectation = gemm().bind(one)->expect(problem, nullptr);
  for (const auto& made : made_by_members(read_gemm_case(one), problem)) EXPECT_TRUE(compare(expectation, made, {{}}).agrees());
  // No bits are ever lost: each element is the upper end of its interval.
  const WholePart d = computed(expectation.any_of.front())[0];
  std::vector<HostTensor> exact = outputs_of(problem, expectation.any_of.front());
  for (size_t i = 0; i < d.high.size(); ++i) exact[0].set_code(int64_t(i), code_from_ordinal(kF32, d.high[i]));
  const Finding finding = compare(expectation, exact, {{}});
  EXPECT_TRUE(finding.parts.front().agrees());
  ASSERT_EQ(finding.violations.size(), 1u);
  EXPECT_THAT(finding.violations[0].words, HasSubstr("errors are not those of any known program: of three parts of d bias "));
}

TEST(UnknownGemm, TheVerdictOnErrorsIsGivenWhereItHasPower) {
  TestCells signs = kPositive;
  signs["fill"] = "amax_scaled", signs["y"] = "bf16";
  const auto words = [](const TestCells& cells) { return error_statistics(read_gemm_case(case_with(cells)))->words(); };
  EXPECT_THAT(words(kPositive), HasSubstr("are told from these in 100 % of 200 runs"));
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
    for (ErrorStatistic& part : seen) part.bias *= 2;
    outside += statistics->refutes(seen);
  }
  EXPECT_EQ(alarms, 0);
  EXPECT_EQ(outside, 200);
}

}  // namespace
}  // namespace assay::unknown_gemm_test
