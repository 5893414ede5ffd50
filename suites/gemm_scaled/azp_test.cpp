// int8 zero points: the correction is exact in int32, and elements equal (a - azp) * b computed by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/core/expectation.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"
#include "suites/gemm/gemm_case.h"
#include "suites/testing/case_with.h"

namespace assay {
namespace {

using testing::HasSubstr;

const Op& gemm() { return shipped_op("gemm_scaled"); }

constexpr const char *kTensor = "vllm.cutlass_scaled_mm_azp.sm_90", *kTokens = "vllm.cutlass_scaled_mm_azp_per_token.sm_90";

const TestCells kUsual = {{"contract", kTensor}, {"m", "4"},                {"n", "8"},          {"k", "2000"},         {"fill", "uniform_bits"},
                          {"b", "uniform_bits"}, {"scales", "token_channel"}, {"scale", "scales"}, {"y", "bf16"},         {"bias", ""},
                          {"azp", "uniform_bits"}, {"seed", "1"},             {"warp", "32"}};

TEST(GemmAzp, ElementsAreThoseOfCodesLessTheirZeroPoint) {
  for (const char* contract : {kTensor, kTokens}) {
    const Case one = case_of(gemm(), kUsual, {{"contract", contract}, {"fill", "amax_scaled_positive"}, {"azp", "amax_scaled_positive"}});
    const GemmCase c = read_gemm_case(one);
    const Problem problem = gemm().bind(one)->problem();
    const HostTensor &a = find(problem.tensors, "a"), &b = find(problem.tensors, "b"), &adj = find(problem.tensors, "azp_adj");
    const std::vector<WholePart> d = computed(gemm().bind(one)->expect(problem, nullptr));
    for (int64_t row = 0; row < c.m; ++row)
      for (int64_t column = 0; column < c.n; ++column) {
        int64_t sum = 0, of_b = 0;
        for (int64_t k = 0; k < c.k; ++k) {
          sum += int64_t(int8_t(a.code(row * c.k + k))) * int8_t(b.code(column * c.k + k));
          of_b += int8_t(b.code(column * c.k + k));
        }
        const int64_t taken = int32_t(adj.code(column));
        const int64_t zero = contract == std::string(kTokens) ? int32_t(find(problem.tensors, "azp").code(row)) : of_b == 0 ? 0 : taken / of_b;
        EXPECT_EQ(contract == std::string(kTokens) ? taken : zero * of_b, contract == std::string(kTokens) ? of_b : taken);
        const float sa = float(decode(kF32, find(problem.tensors, "scale_a").code(row))), sb = float(decode(kF32, find(problem.tensors, "scale_b").code(column)));
        const float scaled = (float(sum - zero * of_b) * sb) * sa;
        EXPECT_EQ(d[0].low[size_t(row * c.n + column)], ordinal(kBf16, code_of(kBf16, round_to(kBf16, scaled, Rounding::kNearestEven, Overflow::kSpecial)))) << one.id;
      }
  }
}

TEST(GemmAzp, WhatMayOverflowInt32IsRefused) {
  EXPECT_EQ(refusal_of(gemm(), kUsual, {{"k", "65535"}}), "");
  EXPECT_THAT(refusal_of(gemm(), kUsual, {{"k", "65536"}}), HasSubstr("k: so many products may overflow int32"));
  EXPECT_EQ(refusal_of(gemm(), kUsual, {{"contract", "vllm.cutlass_scaled_mm_int8.sm_90"}, {"azp", ""}, {"k", "65536"}}), "");
  EXPECT_THAT(refusal_of(gemm(), kUsual, {{"contract", "vllm.cutlass_scaled_mm_int8.sm_90"}}), HasSubstr("azp: vllm.cutlass_scaled_mm_int8.sm_90 takes no zero points"));
  EXPECT_THAT(refusal_of(gemm(), kUsual, {{"azp", ""}}), HasSubstr("azp"));
}

TEST(GemmAzp, ATraceSaysWhatIsTakenOff) {
  const Case one = case_of(gemm(), kUsual, {});
  std::string text;
  for (const std::string& line : gemm().bind(one)->trace(gemm().bind(one)->problem(), 1, 2)) text += line + "\n";
  EXPECT_THAT(text, HasSubstr("zero points take off "));
}

TEST(GemmAzp, RowsKeepTheirZeroPoints) {
  const Case one = case_of(gemm(), kUsual, {{"contract", kTokens}});
  const Problem problem = gemm().bind(one)->problem();
  const std::vector<WholePart> all = computed(gemm().bind(one)->expect(problem, nullptr));
  const CaseOfRows few = gemm().bind(one)->with_rows(problem, {3, 1});
  const std::vector<WholePart> some = computed(few.bound->expect(few.problem, nullptr));
  for (int64_t column = 0; column < 8; ++column) EXPECT_EQ(some[0].low[size_t(column)], all[0].low[size_t(3 * 8 + column)]);
}

}  // namespace
}  // namespace assay
