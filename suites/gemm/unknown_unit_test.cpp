// Kernels on an undocumented instruction (gfx950): results of any candidate model and mixtures pass, and mistakes are detected.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "harness/compare/compare.h"
#include "harness/diagnosis/programs.h"
#include "harness/diagnosis/visibility.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"
#include "suites/gemm/statistics.h"
#include "suites/testing/unknown_gemm.h"

namespace assay::unknown_gemm_test {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

/// A gfx950 contract with an undocumented instruction.
const TestCells kGfx950 = {{"contract", "aiter.ck_gemm_a8w8.gfx950"}, {"n", "32"}, {"k", "416"}, {"y", "bf16"}};

TestCells of_gfx950(TestCells cells) {
  for (const auto& [column, text] : kGfx950) cells.insert({column, text});
  return cells;
}

/// Four candidate models of the instruction, each in every order of k that the contract names (one to eight).
TEST(UnknownGemm, WhatAnyCandidateOfAUnitMakesIsRightAndSoAreMixtures) {
  for (const char* contract : {"aiter.ck_gemm_a8w8.gfx950", "aiter.ck_gemm_a8w8_bpreshuffle.gfx950", "assay.unknown_fp8_row_lanes.gfx950"})
    for (const char* fill : {"amax_scaled", "few_maxima", "amax_scaled_positive", "codes_with_nans"})
      expect_members_and_a_mixture_pass(case_with(of_gfx950({{"contract", contract}, {"fill", fill}})), 4, 4 * 8);
}

/// A chain of fp32 fused multiply-adds in ascending k: a kernel without tensor cores.
TEST(UnknownGemm, AChainOfFusedProductsIsWithinTheSpansOfAUnitThatNobodyKnows) {
  const Case one = case_with(of_gfx950({{"fill", "amax_scaled_positive"}, {"b", "amax_scaled_positive"}, {"k", "4096"}}));
  const GemmCase c = read_gemm_case(one);
  const Problem problem = gemm().bind(one)->problem();
  const DotInputs inputs = gemm_inputs(c, problem);
  std::vector<HostTensor> outputs = {find(problem.tensors, "d")};
  outputs[0].bytes.resize(outputs[0].spec.bytes());
  for (int64_t i = 0; i < c.m * c.n; ++i) {
    float sum = 0;
    for (int64_t k = 0; k < c.k; ++k)
      sum = std::fma(float(decode(kE4M3Fn, uint32_t(inputs.product.a.codes[i / c.n * inputs.product.a.pitch + k]))),
                     float(decode(kE4M3Fn, uint32_t(inputs.product.b.codes[i % c.n * inputs.product.b.pitch + k]))), sum);
    const float scaled = (sum * float(inputs.scale_b.at(i % c.n, 0))) * float(inputs.scale_a.at(i / c.n, 0));
    outputs[0].set_code(i, code_of(kBf16, round_to(kBf16, double(scaled), Rounding::kNearestEven, Overflow::kSpecial)));
  }
  EXPECT_TRUE(compare(gemm().bind(one)->expect(problem, nullptr), outputs, {{}}).agrees());
}

TEST(UnknownGemm, MistakesOfARowWhoseUnitNobodyKnowsAreSeen) {
  const Case one = case_with(of_gfx950({{"bias", "normal"}}));
  std::vector<std::string> names;
  for (const Hypothesis& hypothesis : gemm().bind(one)->mutants()) names.push_back(hypothesis.name);
  const std::vector<std::string> blind = power_of(*gemm().bind(one), one.blind_to).blind_to;
  for (const char* mistake :
       {"a and b: e4m3fn read as e4m3fnuz", "y: gain 101/100", "y: gain 105/100", "y: sa is left out", "y: to(y) -> to(y,rz)",
        "bias: missing", "bias: before the scales", "b: read as [k, n]", "k: what is beyond whole 128 is left out"}) {
    if (std::string(mistake).starts_with("k:") && std::find(names.begin(), names.end(), mistake) == names.end()) continue;
    EXPECT_THAT(names, Contains(mistake));
    EXPECT_THAT(blind, Not(Contains(mistake)));
  }
  const Case shuffled = case_with(of_gfx950({{"contract", "aiter.ck_gemm_a8w8_bpreshuffle.gfx950"}}));
  for (const char* mistake : {"b: read as if it were not shuffled", "b: read as if it were shuffled twice"})
    EXPECT_THAT(power_of(*gemm().bind(shuffled), shuffled.blind_to).blind_to, Not(Contains(mistake)));
}

/// Candidates do not count as known algorithms: deviating statistics refute nothing.
TEST(UnknownGemm, NoStatisticsAreKnownOfAUnitThatNobodyKnows) {
  EXPECT_EQ(error_statistics(read_gemm_case(case_with(of_gfx950({{"m", "24"}, {"n", "32"}}))))->words(),
            "no power here: how the unit adds nobody knows, so errors of right kernels are not known");
}

/// The candidate that made the outputs is named, like any variant.
TEST(UnknownGemm, TheCandidateThatMadeOutputsIsNamed) {
  const Case one =
      case_with(of_gfx950({{"fill", "few_maxima"}, {"b", "few_maxima"}, {"k", "1056"}, {"m", "9"}, {"fill", "few_maxima"}}));
  const Problem problem = gemm().bind(one)->problem();
  const GemmCase c = read_gemm_case(one);
  for (const DotContract& member : c.contract.members) {
    const auto outputs = outputs_of(problem, expect_product(c, member, problem).any_of.front());
    EXPECT_THAT(programs_that_made(gemm().bind(one)->programs(problem), outputs), Contains(HasSubstr(member.unit.id)));
  }
}

}  // namespace
}  // namespace assay::unknown_gemm_test
