// Op gemm_scaled: elements agree with the instruction's definition, rows are independent, the last line of a trace is the
// element, and parameters that a contract lacks are rejected.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "harness/compare/compare.h"
#include "harness/core/expectation.h"
#include "harness/diagnosis/programs.h"
#include "harness/run/run_case.h"
#include "reference/flow/dot/dot_contract.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/format.h"
#include "reference/formats/round.h"
#include "reference/units/unit_definition.h"
#include "suites/gemm/gemm_case.h"
#include "suites/gemm/gemm_op.h"
#include "suites/rulebook.h"
#include "suites/testing/case_with.h"

namespace assay::gemm_scaled_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const Op& gemm() { return shipped_op("gemm_scaled"); }

const TestCells kUsual = {{"contract", "torch.scaled_mm_tensor.sm_90"},
                                 {"m", "5"},
                                 {"n", "24"},
                                 {"k", "416"},
                                 {"fill", "few_maxima"},
                                 {"b", "few_maxima"},
                                 {"scales", "tensor"},
                                 {"scale", "scales"},
                                 {"y", "f32"},
                                 {"bias", ""},
                                 {"seed", "1"},
                                 {"warp", "32"}};

Case case_with(const TestCells& cells) { return case_of(gemm(), kUsual, cells); }

std::string refusal(const TestCells& cells) { return refusal_of(gemm(), kUsual, cells); }

/// The fp32 sum of an element by the instruction's definition, written a second time for two contracts.
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
  EXPECT_THAT(refusal({{"contract", "vllm.group_fp8"}}), HasSubstr("contract: 'vllm.group_fp8' is a group_quant contract"));
  EXPECT_THAT(refusal({{"scales", "token"}}), HasSubstr("scales: contract torch.scaled_mm_tensor.sm_90 does not support scales 'token'; supported: tensor"));
  EXPECT_THAT(refusal({{"scales", "block"}}),
              HasSubstr("scales: 'block': expected tensor, token, channel, token_channel, or A_B such as 1x128_128x128"));
  EXPECT_THAT(refusal({{"y", "e4m3fn"}}), HasSubstr("does not support y 'e4m3fn'"));
  EXPECT_THAT(refusal({{"bias", "normal"}}), HasSubstr("bias: expected an empty cell: a bias is only supported for results of 16 bits"));
  EXPECT_THAT(
      refusal({{"contract", "cutlass.fp8_gemm_row.sm_90"}, {"scales", "token_channel"}, {"y", "bf16"}, {"bias", "normal"}}),
      HasSubstr("takes no bias"));
  const std::map<std::string, std::string> integers = {
      {"contract", "vllm.cutlass_scaled_mm_int8.sm_90"}, {"y", "bf16"}, {"fill", "uniform_bits"}, {"b", "uniform_bits"}};
  std::map<std::string, std::string> many = integers;
  many["k"] = "131071";
  EXPECT_EQ(refusal(many), "");
  many["k"] = "131072";
  EXPECT_THAT(refusal(many), HasSubstr("k: expected a smaller k: a sum over this k may overflow int32"));
}

TEST(GemmScaled, ATraceEndsWithTheElementAndItsExactValue) {
  const Case one = case_with({{"k", "160"}});
  const Problem problem = gemm().bind(one)->problem();
  std::string text;
  for (const std::string& line : gemm().bind(one)->trace(problem, 1, 2)) text += line + "\n";
  EXPECT_THAT(text, HasSubstr("k 0..127: chain = "));
  EXPECT_THAT(text, HasSubstr("promoted: acc = "));
  EXPECT_THAT(text, HasSubstr("k 128..159: chain = "));
  EXPECT_THAT(text, HasSubstr("fma(sa*sb,0)"));
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

// One variant must explain all of d. Contracts may allow several split-K counts; a library must use the one that it reports.

namespace {

TEST(GemmScaled, ProgramsAreThoseThatCutKOtherwise) {
  const DotContract contract = read_gemm_case(case_with({})).contract;
  const auto parts = [&](int64_t k) {
    std::vector<int64_t> all;
    for (const DotProgram& program : dot_programs(contract, k)) all.push_back(program.part);
    return all;
  };
  EXPECT_THAT(parts(96), ElementsAre(96));
  EXPECT_THAT(parts(128), ElementsAre(128));
  EXPECT_THAT(parts(160), ElementsAre(160, 128));
  EXPECT_THAT(parts(512), ElementsAre(512, 256, 128));
  EXPECT_THAT(parts(2048), ElementsAre(2048, 1024, 768, 512, 384)) << "six parts of 16 tiles are as long as five";
  EXPECT_EQ(dot_programs(contract, 128).front().name, "");
  EXPECT_EQ(dot_programs(contract, 512).front().name, "split-K 1");
}

TEST(GemmScaled, OneProgramHasToMakeTheWholeTensor) {
  const Case one = case_with({{"contract", "torch.scaled_mm_tensor_fast.sm_90"}});
  const Problem problem = gemm().bind(one)->problem();
  const Expectation expectation = gemm().bind(one)->expect(problem, nullptr);
  ASSERT_GE(expectation.any_of.size(), 2u);
  std::vector<HostTensor> whole = outputs_of(problem, expectation.any_of[0]), split = outputs_of(problem, expectation.any_of[1]);
  EXPECT_EQ(compare(expectation, whole, {{}}).program, "split-K 1");
  const Finding other = compare(expectation, split, {{}});
  EXPECT_TRUE(other.agrees());
  EXPECT_EQ(other.program, "split-K 2");
  // half of the columns come from another variant
  for (int64_t i = 0; i < split[0].spec.elements(); ++i)
    if (i % 24 >= 12) split[0].set_code(i, whole[0].code(i));
  EXPECT_FALSE(compare(expectation, split, {{}}).agrees());
  EXPECT_THAT(programs_that_made(gemm().bind(one)->programs(problem), split), ElementsAre());
}

Verdict verdict_on(const Case& one, std::vector<HostTensor> outputs, const SaidAlgorithm& said) {
  const Problem problem = gemm().bind(one)->problem();
  CallResult result;
  result.outputs = std::move(outputs);
  result.untouched = {{}};
  result.in_place = {false};
  result.said = said;
  Verdict verdict = blank_verdict(one, "cuts_k", "a_library");
  judge_outputs(*gemm().bind(one), problem, result, verdict);
  return verdict;
}

/// If a library reports its algorithm, only outputs of that algorithm are accepted.
TEST(GemmScaled, ALibraryThatSaysItsProgramIsHeldToIt) {
  const Case one = case_with({{"contract", "torch.scaled_mm_tensor_fast.sm_90"}});
  const Problem problem = gemm().bind(one)->problem();
  const Expectation expectation = gemm().bind(one)->expect(problem, nullptr);
  ASSERT_EQ(expectation.any_of[1].program, "split-K 2");
  const std::vector<HostTensor> split = outputs_of(problem, expectation.any_of[1]);
  const Verdict silent = verdict_on(one, split, {}), right = verdict_on(one, split, {.split_k = 2}),
                wrong = verdict_on(one, split, {.split_k = 1}), none = verdict_on(one, split, {.words = "stream-K"});
  EXPECT_EQ(silent.outcome, Outcome::kPass);
  EXPECT_EQ(right.outcome, Outcome::kPass);
  EXPECT_EQ(right.program_said, "split-K 2");
  EXPECT_EQ(wrong.outcome, Outcome::kFail);
  EXPECT_EQ(wrong.message, "made by split-K 2, although the library reported split-K 1");
  EXPECT_EQ(none.outcome, Outcome::kFail);
  EXPECT_EQ(none.message, "the library reports that it used stream-K, which the contract does not allow");
}

/// The variants of the case that fit the reported algorithm.
std::vector<std::string> meant(const TestCells& cells, const SaidAlgorithm& said) {
  const Case one = case_with(cells);
  const std::unique_ptr<const BoundCase> bound = gemm().bind(one);
  const GemmCase p = read_gemm_case(one);
  std::vector<std::string> names;
  for (const DotProgram& program : dot_programs(p.contract, p.k))
    if (bound->is_meant(said, program.name)) names.push_back(program.name);
  return names;
}

TEST(GemmScaled, SplitKCountsThatCutKAlikeAreOneProgram) {
  EXPECT_THAT(meant({{"k", "2048"}}, {.split_k = 3}), ElementsAre("split-K 3"));
  EXPECT_THAT(meant({{"k", "2048"}}, {.split_k = 6}), ElementsAre("split-K 6"));
  EXPECT_THAT(meant({{"k", "640"}}, {.split_k = 4}), ElementsAre("split-K 3")) << "parts of two blocks";
  EXPECT_THAT(meant({{"k", "96"}}, {.split_k = 1}), ElementsAre("")) << "k is never cut";
  EXPECT_THAT(meant({{"k", "2048"}}, {.split_k = 7}), ElementsAre()) << "no program of the contract";
  EXPECT_THAT(meant({{"k", "2048"}}, {.words = "split-K 3 or so"}), ElementsAre());
  const TestCells whole = {{"contract", "torch.scaled_mm_row.sm_90"}, {"scales", "token_channel"}};
  EXPECT_THAT(meant(whole, {.split_k = 1}), ElementsAre(""));
  EXPECT_THAT(meant(whole, {.split_k = 2}), ElementsAre());
}

TEST(GemmScaled, PromotionAndOrderMustBeTheContracts) {
  const TestCells every_128 = {{"contract", "torch.scaled_mm_tensor.sm_90"}, {"k", "512"}},
                  never = {{"contract", "torch.scaled_mm_tensor_fast.sm_90"}, {"k", "512"}};
  const auto all = ElementsAre("split-K 1", "split-K 2", "split-K 4");
  EXPECT_THAT(meant(every_128, {.promote = 128}), all);
  EXPECT_THAT(meant(every_128, {.promote = 256}), ElementsAre());
  EXPECT_THAT(meant(every_128, {.promote = -1}), ElementsAre());
  EXPECT_THAT(meant(never, {.promote = -1}), all);
  EXPECT_THAT(meant(never, {.promote = 512}), all) << "once behind the end";
  EXPECT_THAT(meant(never, {.promote = 128}), ElementsAre());
  EXPECT_THAT(meant(never, {.order = SaidAlgorithm::Order::kAscending}), all);
  EXPECT_THAT(meant(never, {.order = SaidAlgorithm::Order::kAny}), ElementsAre("split-K 1"))
      << "a single part is not added to another";
}

}  // namespace

// Identifies the algorithm of outputs among all known variants. Other outputs are unknown, and exact sums fit every variant.

namespace {

/// Data for which most variants give different outputs. k has more tiles than the split-K counts.
std::vector<Case> telling_cases(const std::string& contract, const std::string& scales) {
  const auto with = [&](const char* k, const char* fill, const char* b) {
    return case_with({{"contract", contract}, {"scales", scales}, {"m", "3"}, {"n", "16"}, {"k", k}, {"fill", fill}, {"b", b}});
  };
  return {with("7168", "few_maxima", "few_maxima"), with("416", "near_one", "near_one"),
          with("160", "equal_pairs", "cancelling_pairs"), with("512", "block_outliers", "wide")};
}

/// For each variant with split-K 1 or 2: it is named, and no other variant of its instruction is.
TEST(GemmScaled, TheProgramThatMadeOutputsIsFoundAmongAll) {
  const std::vector<Case> cases = telling_cases("torch.scaled_mm_row.sm_90", "token_channel");
  std::vector<std::map<std::string, std::vector<int32_t>>> made(cases.size());  // for each case: outputs by variant
  for (size_t i = 0; i < cases.size(); ++i) {
    const Problem problem = gemm().bind(cases[i])->problem();
    for (const Answer& answer : gemm().bind(cases[i])->programs(problem).any_of) made[i][answer.program] = computed(answer)[0].low;
    ASSERT_GT(made[i].size(), 190u);
  }
  int64_t tried = 0;
  for (const auto& [name, d] : made.front()) {
    const auto cut = std::min(name.find(", split-K 1,"), name.find(", split-K 2,"));
    if (cut == std::string::npos) continue;
    ProgramTally tally;
    for (size_t i = 0; i < cases.size(); ++i) {
      ASSERT_TRUE(made[i].contains(name)) << name;
      std::vector<std::string> names;
      for (const auto& [other, of_other] : made[i])
        if (of_other == made[i].at(name)) names.push_back(other);
      tally.add(names, cases[i].id);
    }
    const std::string unit = name.substr(0, name.find(',')), k = name[cut + 10] == '1' ? "k whole" : "split-K 2";
    std::vector<std::string> of_unit;
    for (const std::string& line : tally.lines())
      if (line.starts_with("made by   " + unit + ",")) of_unit.push_back(line);
    const std::string before = "made by   " + unit, behind = name.substr(cut + 11) + "; " + k,
                      promotion = name.substr(unit.size(), cut - unit.size());
    EXPECT_THAT(of_unit, ElementsAre(before + promotion + behind));
    ++tried;
  }
  EXPECT_GT(tried, 100);
}

/// mma.sync of sm_90 and sm_100 adds c after the sum of products. Passing the sum so far as c then equals adding in fp32 after
/// each instruction, so the two variants count as one. If c is one of the terms of the sum, they count as two.
TEST(GemmScaled, PromotedAfterEachInstructionIsNotPromotedWhereCIsAddedLast) {
  for (const Case& one : telling_cases("torch.scaled_mm_row.sm_90", "token_channel")) {
    const Problem problem = gemm().bind(one)->problem();
    const GemmCase c = read_gemm_case(one);
    const auto differ = [&](const char* unit) {
      DotContract chain = c.contract;
      chain.unit_row = &rulebook().units.find(unit);
      chain.unit = chain.unit_row->unit;
      chain.promote = 0, chain.join.clear();
      DotContract promoted = chain;
      promoted.promote = chain.unit.k, promoted.join = plain_join();
      return computed(expect_product(c, chain, problem))[0].low != computed(expect_product(c, promoted, problem))[0].low;
    };
    for (const char* unit : {"sm_90.mma.e4m3.f32", "sm_100.mma.e4m3.f32"}) EXPECT_FALSE(differ(unit)) << one.id << " " << unit;
    if (c.k == 7168) {
      EXPECT_TRUE(differ("sm_90.mma.e4m3_unpacked.f32"));
    }
  }
}

TEST(GemmScaled, OutputsOfNoProgramAreToldSo) {
  const Case one = case_with({});
  const Problem problem = gemm().bind(one)->problem();
  std::vector<HostTensor> outputs = outputs_of(problem, gemm().bind(one)->expect(problem, nullptr).any_of[0]);
  outputs[0].set_code(3, outputs[0].code(3) + 1);
  const Expectation programs = gemm().bind(one)->programs(problem);
  EXPECT_THAT(programs_that_made(programs, outputs), ElementsAre());
  ProgramTally tally;
  tally.add(programs_that_made(programs, outputs), one.id);
  ASSERT_EQ(tally.lines().size(), 1u);
  EXPECT_THAT(tally.lines()[0], HasSubstr("no known algorithm, in 1 of 1 cases, first " + one.id));
}

TEST(GemmScaled, ALibraryMayCutEachShapeInItsOwnWay) {
  ProgramTally tally;
  const std::vector<Case> cases = telling_cases("torch.scaled_mm_tensor_fast.sm_90", "tensor");
  for (size_t i = 0; i < cases.size(); ++i) {
    const Problem problem = gemm().bind(cases[i])->problem();
    const Expectation expectation = gemm().bind(cases[i])->expect(problem, nullptr);
    tally.add(programs_that_made(gemm().bind(cases[i])->programs(problem), outputs_of(problem, expectation.any_of[i == 0 ? 1 : 0])),
              cases[i].id);
  }
  ASSERT_FALSE(tally.lines().empty());
  EXPECT_THAT(tally.lines()[0], HasSubstr("made by   sm_90.wgmma.e4m3.f32, acc * (sa * sb); "));
  EXPECT_THAT(tally.lines()[0], HasSubstr("k whole in 3"));
  EXPECT_THAT(tally.lines()[0], HasSubstr("split-K 2 in "));
}

/// In no order of additions is a sum rounded, so all variants return the same bits.
TEST(GemmScaled, ExactSumsHideEveryProgram) {
  const Case one = case_with({{"fill", "exact_sums"}, {"b", "exact_sums"}, {"k", "7168"}, {"scale", "ones"}});
  const Problem problem = gemm().bind(one)->problem();
  const Expectation programs = gemm().bind(one)->programs(problem);
  const std::vector<int32_t> first = computed(programs.any_of[0])[0].low;
  for (size_t i = 1; i < programs.any_of.size(); i += 37)
    EXPECT_EQ(computed(programs.any_of[i])[0].low, first) << programs.any_of[i].program;
}

}  // namespace

}  // namespace assay::gemm_scaled_test

namespace assay {

using ::testing::HasSubstr;

// int8 zero points: the correction is exact in int32, and elements equal (a - azp) * b, computed a second time.

namespace {

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
  EXPECT_THAT(refusal_of(gemm(), kUsual, {{"k", "65536"}}), HasSubstr("k: expected a smaller k: a sum over this k may overflow int32"));
  EXPECT_EQ(refusal_of(gemm(), kUsual, {{"contract", "vllm.cutlass_scaled_mm_int8.sm_90"}, {"azp", ""}, {"k", "65536"}}), "");
  EXPECT_THAT(refusal_of(gemm(), kUsual, {{"contract", "vllm.cutlass_scaled_mm_int8.sm_90"}}), HasSubstr("azp: vllm.cutlass_scaled_mm_int8.sm_90 takes no zero points"));
  EXPECT_THAT(refusal_of(gemm(), kUsual, {{"azp", ""}}), HasSubstr("azp"));
}

TEST(GemmAzp, ATraceSaysWhatIsTakenOff) {
  const Case one = case_of(gemm(), kUsual, {});
  std::string text;
  for (const std::string& line : gemm().bind(one)->trace(gemm().bind(one)->problem(), 1, 2)) text += line + "\n";
  EXPECT_THAT(text, HasSubstr(" for zero points: acc = "));
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
