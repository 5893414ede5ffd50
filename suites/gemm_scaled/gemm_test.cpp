// Op gemm_scaled: elements match the instruction's definition, rows are independent, a trace ends with its element, and
// parameters that a contract lacks are rejected.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "harness/core/expectation.h"
#include "reference/formats/catalogue.h"
#include "reference/units/unit_definition.h"
#include "suites/gemm/expect.h"
#include "suites/testing/usual_gemm.h"

namespace assay::gemm_scaled_test {
namespace {

using testing::HasSubstr;

std::string refusal(const TestCells& cells) { return refusal_of(gemm(), kUsual, cells); }

/// fp32 sums of chains according to the definition, written again by hand for two contracts.
double by_hand(const GemmCase& c, const Problem& problem, int64_t row, int64_t column, int64_t promote, int64_t part,
               bool tensor) {
  float acc = 0;
  for (int64_t first = 0; first < c.k; first += part) {
    const int64_t end = std::min(first + part, c.k);
    float sum = 0;
    for (int64_t k = first; k < end; k += promote) {
      std::vector<uint32_t> a, b;
      for (int64_t i = k; i < std::min(k + promote, end); ++i) {
        a.push_back(find(problem.tensors, "a").code(row * c.k + i));
        b.push_back(find(problem.tensors, "b").code(column * c.k + i));
      }
      sum += float(decode(kF32, defined_element(c.contract.unit, {a, b}, 0)));
    }
    acc += sum;
  }
  const auto scale = [&](const char* role, int64_t at) {
    const HostTensor& t = find(problem.tensors, role);
    return float(decode(kF32, t.code(t.spec.elements() == 1 ? 0 : at)));
  };
  const float sa = scale("scale_a", row), sb = scale("scale_b", column);
  return tensor ? acc * (sa * sb) : (acc * sb) * sa;
}

TEST(GemmScaled, ElementsAreWhatTheDefinitionMakesOfThem) {
  const std::pair<const char*, bool> contracts[] = {{"torch.scaled_mm_tensor.sm_90", true}, {"torch.scaled_mm_row.sm_90", false}};
  for (const auto& [contract, tensor] : contracts) {
    const Case one = case_with({{"contract", contract}, {"scales", tensor ? "tensor" : "token_channel"}});
    const GemmCase c = read_gemm_case(one);
    const Problem problem = gemm_problem(c);
    const Expectation expectation = expect_product(c, c.contract, problem);
    const std::vector<DotProgram> programs = dot_programs(c.contract, c.k);
    ASSERT_EQ(programs.size(), expectation.any_of.size());
    for (size_t p = 0; p < programs.size(); ++p) {
      const std::vector<WholePart> d = computed(expectation.any_of[p]);
      for (int64_t row = 0; row < c.m; ++row)
        for (int64_t column = 0; column < c.n; ++column) {
          const double right = by_hand(c, problem, row, column, 128, programs[p].part, tensor);
          ASSERT_EQ(d[0].low[size_t(row * c.n + column)], ordinal_of_value(kF32, right))
              << contract << " " << programs[p].name << " " << row << " " << column;
        }
    }
  }
}

TEST(GemmScaled, WhatAContractHasNotIsRefusedWithItsColumn) {
  EXPECT_THAT(refusal({{"contract", "vllm.group_fp8"}}), HasSubstr("contract: 'vllm.group_fp8' is a group_quant row"));
  EXPECT_THAT(refusal({{"scales", "token"}}), HasSubstr("scales: contract torch.scaled_mm_tensor.sm_90 does not support scales 'token'; supported: tensor"));
  EXPECT_THAT(refusal({{"scales", "block"}}), HasSubstr("scales: 'block' is none of tensor, token, channel, token_channel, and no A_B such as 1x128_128x128"));
  EXPECT_THAT(refusal({{"y", "e4m3fn"}}), HasSubstr("does not support y 'e4m3fn'"));
  EXPECT_THAT(refusal({{"bias", "normal"}}), HasSubstr("bias: a bias has the 16 bits of the result"));
  EXPECT_THAT(
      refusal({{"contract", "cutlass.fp8_gemm_row.sm_90"}, {"scales", "token_channel"}, {"y", "bf16"}, {"bias", "normal"}}),
      HasSubstr("takes no bias"));
  const std::map<std::string, std::string> integers = {
      {"contract", "vllm.cutlass_scaled_mm_int8.sm_90"}, {"y", "bf16"}, {"fill", "uniform_bits"}, {"b", "uniform_bits"}};
  std::map<std::string, std::string> many = integers;
  many["k"] = "131071";
  EXPECT_EQ(refusal(many), "");
  many["k"] = "131072";
  EXPECT_THAT(refusal(many), HasSubstr("k: so many products may overflow int32"));
}

TEST(GemmScaled, ATraceEndsWithTheElementAndItsExactValue) {
  const Case one = case_with({{"k", "160"}});
  const Problem problem = gemm().bind(one)->problem();
  std::string text;
  for (const std::string& line : gemm().bind(one)->trace(problem, 1, 2)) text += line + "\n";
  EXPECT_THAT(text, HasSubstr("k 0..127: chain = "));
  EXPECT_THAT(text, HasSubstr("promoted: acc = "));
  EXPECT_THAT(text, HasSubstr("k 128..159: chain = "));
  EXPECT_THAT(text, HasSubstr("mul(sa*sb)"));
  EXPECT_THAT(text, HasSubstr("exact "));
  const int32_t d = computed(gemm().bind(one)->expect(problem, nullptr).any_of[0])[0].low[24 + 2];
  char code[16];
  std::snprintf(code, sizeof code, "d     %08x", code_from_ordinal(kF32, d));
  EXPECT_THAT(text, HasSubstr(code));
}

TEST(GemmScaled, RowsAreWhatTheyAreAlone) {
  const Case one = case_with({{"contract", "torch.scaled_mm_row.sm_90"}, {"scales", "token_channel"}});
  const Problem problem = gemm().bind(one)->problem();
  const std::vector<WholePart> all = computed(gemm().bind(one)->expect(problem, nullptr));
  const CaseOfRows few = gemm().bind(one)->with_rows(problem, {3, 1});
  const std::vector<WholePart> some = computed(few.bound->expect(few.problem, nullptr));
  for (int64_t column = 0; column < 24; ++column) {
    EXPECT_EQ(some[0].low[size_t(column)], all[0].low[size_t(3 * 24 + column)]);
    EXPECT_EQ(some[0].low[size_t(24 + column)], all[0].low[size_t(24 + column)]);
  }
}

}  // namespace
}  // namespace assay::gemm_scaled_test
