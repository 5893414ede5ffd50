// Unknown kernels: outputs of known algorithms, and mixtures of them, lie within the intervals. A wrong gain does not, if the
// data can show it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "harness/compare/compare.h"
#include "harness/diagnosis/programs.h"
#include "harness/diagnosis/visibility.h"
#include "reference/flow/dot/dot_predict.h"
#include "reference/formats/catalogue.h"
#include "reference/table/table.h"
#include "suites/testing/unknown_gemm.h"

namespace assay::unknown_gemm_test {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

TEST(UnknownGemm, WhatAKnownProgramMakesIsRightAndSoAreMixtures) {
  for (const char* fill : {"amax_scaled", "few_maxima", "wide", "amax_scaled_positive", "block_outliers", "codes_with_nans"})
    for (const auto& [contract, scales] :
         {std::pair("assay.unknown_fp8_row.sm_90", "token_channel"), std::pair("assay.unknown_fp8_tensor.sm_90", "tensor")})
      expect_members_and_a_mixture_pass(case_with({{"contract", contract}, {"scales", scales}, {"fill", fill}}), 3, SIZE_MAX);
}

/// CUTLASS's stream-K divides k where its scheduler decides: here after 2 of 13 k tiles for some tiles of d and after 5 for
/// others. No contract has such parts, but the intervals contain the results.
TEST(UnknownGemm, PartsThatDifferFromTileToTileAreWithinTheSpans) {
  const Case one = case_with({{"k", "1664"}, {"fill", "few_maxima"}, {"b", "few_maxima"}});
  const GemmCase c = read_gemm_case(one);
  const Problem problem = gemm().bind(one)->problem();
  const DotInputs inputs = gemm_inputs(c, problem);
  const DotContract& fast = c.contract.members.front();
  const DotRows rows(fast, dot_programs(fast, c.k).front(), inputs, kF32);
  std::vector<HostTensor> outputs = {find(problem.tensors, "d")};
  outputs[0].bytes.resize(outputs[0].spec.bytes());
  int64_t differ = 0;
  const std::vector<double> whole = rows.sums(0, c.m, 0, c.k);
  for (const auto& [first_column, cut] : {std::pair<int64_t, int64_t>(0, 256), std::pair<int64_t, int64_t>(12, 640)}) {
    const std::vector<double> before = rows.sums(0, c.m, 0, cut), behind = rows.sums(0, c.m, cut, c.k);
    for (int64_t i = 0; i < c.m * c.n; ++i) {
      if (i % c.n / 12 * 12 != first_column) continue;
      const float sum = float(before[size_t(i)]) + float(behind[size_t(i)]);
      differ += double(sum) != whole[size_t(i)];
      const float scaled = (sum * float(inputs.scale_b.at(i % c.n, 0))) * float(inputs.scale_a.at(i / c.n, 0));
      outputs[0].set_code(i, code_of(kF32, double(scaled)));
    }
  }
  EXPECT_GT(differ, c.m * c.n / 4) << "no known program makes them";
  EXPECT_TRUE(compare(gemm().bind(one)->expect(problem, nullptr), outputs, {{}}).agrees());
  EXPECT_TRUE(programs_that_made(gemm().bind(one)->programs(problem), outputs).empty());
  outputs[0].set_code(5, code_of(kF32, double(float(1.05 * decode(kF32, outputs[0].code(5))))));
  EXPECT_FALSE(compare(gemm().bind(one)->expect(problem, nullptr), outputs, {{}}).agrees());
}

TEST(UnknownGemm, AGainIsOutsideWhereDataShowIt) {
  const Case one = case_with({});
  const Problem problem = gemm().bind(one)->problem();
  std::vector<HostTensor> outputs = made_by_members(read_gemm_case(one), problem)[0];
  for (int64_t i = 0; i < outputs[0].spec.elements(); ++i)
    outputs[0].set_code(i, code_of(kF32, double(float(decode(kF32, outputs[0].code(i)) * 1.05))));
  EXPECT_FALSE(compare(gemm().bind(one)->expect(problem, nullptr), outputs, {{}}).agrees());
  EXPECT_THAT(power_of(*gemm().bind(one), one.blind_to).blind_to, Not(Contains("y: gain 105/100")));
}

/// Long sums of one sign lose so many bits that a gain of 1/20 is hidden. Such a case is untrusted, and its row cannot declare
/// the mutant.
TEST(UnknownGemm, DataThatHideAGainAreNotTrusted) {
  const TestCells hiding = {
      {"fill", "amax_scaled_positive"}, {"b", "amax_scaled_positive"}, {"k", "4096"}, {"m", "1"}, {"n", "8"}};
  EXPECT_THAT(power_of(*gemm().bind(case_with(hiding)), case_with(hiding).blind_to).blind_to, Contains("y: gain 105/100"));
  Case declared = case_with(hiding);
  for (const char* glob : {"y: gain 105/100", "y: gain *", "*"}) {
    declared.blind_to = {glob};
    try {
      (void)checked_case(gemm(), declared);
      ADD_FAILURE() << glob << " was taken";
    } catch (const TableError& error) {
      EXPECT_THAT(error.what(), HasSubstr("blind_to: '" + std::string(glob) +
                                          "' declares 'y: gain 105/100', which data of assay.unknown_fp8_row.sm_90 must show"));
    }
  }
  declared.blind_to = {"k: *"};
  EXPECT_NO_THROW((void)checked_case(gemm(), declared));
}

TEST(UnknownGemm, TakesNoBiasAndNoOtherScales) {
  EXPECT_THAT(refusal_of(gemm(), kUsual, {{"y", "bf16"}, {"bias", "normal"}}), HasSubstr("takes no bias"));
  EXPECT_THAT(refusal_of(gemm(), kUsual, {{"scales", "tensor"}}),
              HasSubstr("contract assay.unknown_fp8_row.sm_90 does not support scales 'tensor'"));
}

}  // namespace
}  // namespace assay::unknown_gemm_test
