// Op gemm_scaled: elements are what the definition of the unit makes of them, whole tensors belong to one program, and what made
// outputs is found out among all programs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "harness/compare/compare.h"
#include "harness/core/cases.h"
#include "harness/diagnosis/programs.h"
#include "harness/run/judge_outputs.h"
#include "harness/run/run_case.h"
#include "reference/flow/dot/ways.h"
#include "reference/formats/catalogue.h"
#include "reference/units/definition.h"
#include "suites/gemm/expect.h"
#include "suites/gemm/words.h"
#include "suites/registry.h"
#include "suites/rulebook.h"
#include "suites/testing/case_with.h"

namespace assay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const Op& gemm() {
  static const bool open = (open_rulebook(ASSAY_SOURCE_DIR), true);
  (void)open;
  return find_op("gemm_scaled");
}

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

std::vector<HostTensor> outputs_of(const Case& one, const Problem& problem, const Answer& answer) {
  std::vector<HostTensor> outputs = {find(problem.tensors, "d")};
  outputs[0].bytes.resize(outputs[0].spec.bytes());
  const std::vector<WholePart> d = computed(answer);
  for (size_t i = 0; i < d[0].low.size(); ++i)
    outputs[0].set_code(int64_t(i), code_from_ordinal(*read_gemm_case(one).y, d[0].low[i]));
  return outputs;
}

/// Sums in f32 of chains by the definition, written down once more for two contracts.
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
  const Problem problem = gemm().problem(one);
  const Expectation expectation = gemm().expect(one, problem, nullptr);
  ASSERT_GE(expectation.any_of.size(), 2u);
  std::vector<HostTensor> whole = outputs_of(one, problem, expectation.any_of[0]),
                          split = outputs_of(one, problem, expectation.any_of[1]);
  EXPECT_EQ(compare(expectation, whole, {{}}).program, "split-K 1");
  const Finding other = compare(expectation, split, {{}});
  EXPECT_TRUE(other.agrees());
  EXPECT_EQ(other.program, "split-K 2");
  // Half of the columns by another program.
  for (int64_t i = 0; i < split[0].spec.elements(); ++i)
    if (i % 24 >= 12) split[0].set_code(i, whole[0].code(i));
  EXPECT_FALSE(compare(expectation, split, {{}}).agrees());
  EXPECT_THAT(programs_that_made(gemm().programs(one, problem), split), ElementsAre());
}

Verdict verdict_on(const Case& one, std::vector<HostTensor> outputs, const std::string& said) {
  const Problem problem = gemm().problem(one);
  CallResult result;
  result.outputs = std::move(outputs);
  result.untouched = {{}};
  result.in_place = {false};
  result.program = said;
  Verdict verdict = blank_verdict(one, "cuts_k", "a_library");
  judge_outputs(gemm(), one, problem, result, verdict);
  return verdict;
}

/// What a library foretells is the one right answer.
TEST(GemmScaled, ALibraryThatSaysItsProgramIsHeldToIt) {
  const Case one = case_with({{"contract", "torch.scaled_mm_tensor_fast.sm_90"}});
  const Problem problem = gemm().problem(one);
  const Expectation expectation = gemm().expect(one, problem, nullptr);
  ASSERT_EQ(expectation.any_of[1].program, "split-K 2");
  const std::vector<HostTensor> split = outputs_of(one, problem, expectation.any_of[1]);
  const Verdict silent = verdict_on(one, split, ""), right = verdict_on(one, split, "split-K 2"),
                wrong = verdict_on(one, split, "split-K 1"), none = verdict_on(one, split, "stream-K");
  EXPECT_EQ(silent.outcome, Outcome::kPass);
  EXPECT_EQ(right.outcome, Outcome::kPass);
  EXPECT_EQ(right.program_said, "split-K 2");
  EXPECT_EQ(wrong.outcome, Outcome::kFail);
  EXPECT_EQ(wrong.message, "made by split-K 2 and not by split-K 1, as the library says");
  EXPECT_EQ(none.outcome, Outcome::kFail);
  EXPECT_EQ(none.message, "the library says that it made this by stream-K, which is no program of the contract");
}

TEST(GemmScaled, NamesOfOneProgramMeanTheSame) {
  const auto meant = [](const TestCells& cells, const std::string& said) { return gemm().program_meant(case_with(cells), said); };
  EXPECT_EQ(meant({{"k", "2048"}}, "split-K 3"), "split-K 3");
  EXPECT_EQ(meant({{"k", "2048"}}, "split-K 6"), "split-K 6");
  EXPECT_EQ(meant({{"k", "640"}}, "split-K 4"), "split-K 3") << "parts of two blocks";
  EXPECT_EQ(meant({{"k", "96"}}, "split-K 1"), "") << "k is never cut";
  EXPECT_EQ(meant({{"k", "2048"}}, "split-K 7"), "split-K 7") << "no program of the contract";
  EXPECT_EQ(meant({{"k", "2048"}}, "split-K 3 or so"), "split-K 3 or so");
  const TestCells whole = {{"contract", "torch.scaled_mm_row.sm_90"}, {"scales", "token_channel"}};
  EXPECT_EQ(meant(whole, "split-K 1"), "");
  EXPECT_EQ(meant(whole, "split-K 2"), "split-K 2");
}

/// Data that part most programs; a k of more tiles than k is cut into.
std::vector<Case> telling_cases(const std::string& contract, const std::string& scales) {
  const auto with = [&](const char* k, const char* fill, const char* b) {
    return case_with({{"contract", contract}, {"scales", scales}, {"m", "3"}, {"n", "16"}, {"k", k}, {"fill", fill}, {"b", b}});
  };
  return {with("7168", "few_maxima", "few_maxima"), with("416", "near_one", "near_one"),
          with("160", "equal_pairs", "cancelling_pairs"), with("512", "block_outliers", "wide")};
}

/// Every program that leaves k whole or cuts it in two is found, and no other of its unit.
TEST(GemmScaled, TheProgramThatMadeOutputsIsFoundAmongAll) {
  const std::vector<Case> cases = telling_cases("torch.scaled_mm_row.sm_90", "token_channel");
  std::vector<std::map<std::string, std::vector<int32_t>>> made(cases.size());  // of each case: what programs make
  for (size_t i = 0; i < cases.size(); ++i) {
    const Problem problem = gemm().problem(cases[i]);
    for (const Answer& answer : gemm().programs(cases[i], problem).any_of) made[i][answer.program] = computed(answer)[0].low;
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

/// mma.sync of sm_90 and sm_100 begins with 0 and adds c behind the sum: an addition for each instruction is that one, so no data
/// part them and they are one program. A unit whose c is one of its terms has two.
TEST(GemmScaled, PromotedAfterEachInstructionIsNotPromotedWhereCIsAddedLast) {
  for (const Case& one : telling_cases("torch.scaled_mm_row.sm_90", "token_channel")) {
    const Problem problem = gemm().problem(one);
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
  const Problem problem = gemm().problem(one);
  std::vector<HostTensor> outputs = outputs_of(one, problem, gemm().expect(one, problem, nullptr).any_of[0]);
  outputs[0].set_code(3, outputs[0].code(3) + 1);
  const Expectation programs = gemm().programs(one, problem);
  EXPECT_THAT(programs_that_made(programs, outputs), ElementsAre());
  ProgramTally tally;
  tally.add(programs_that_made(programs, outputs), one.id);
  ASSERT_EQ(tally.lines().size(), 1u);
  EXPECT_THAT(tally.lines()[0], HasSubstr("no program that is known, in 1 of 1 cases, first " + one.id));
}

TEST(GemmScaled, ALibraryMayCutEachShapeInItsOwnWay) {
  ProgramTally tally;
  const std::vector<Case> cases = telling_cases("torch.scaled_mm_tensor_fast.sm_90", "tensor");
  for (size_t i = 0; i < cases.size(); ++i) {
    const Problem problem = gemm().problem(cases[i]);
    const Expectation expectation = gemm().expect(cases[i], problem, nullptr);
    tally.add(
        programs_that_made(gemm().programs(cases[i], problem), outputs_of(cases[i], problem, expectation.any_of[i == 0 ? 1 : 0])),
        cases[i].id);
  }
  ASSERT_FALSE(tally.lines().empty());
  EXPECT_THAT(tally.lines()[0], HasSubstr("made by   sm_90.wgmma.e4m3.f32, acc * (sa * sb); "));
  EXPECT_THAT(tally.lines()[0], HasSubstr("k whole in 3"));
  EXPECT_THAT(tally.lines()[0], HasSubstr("split-K 2 in "));
}

TEST(GemmScaled, WhatAContractHasNotIsRefusedWithItsColumn) {
  EXPECT_THAT(refusal({{"contract", "vllm.group_fp8"}}), HasSubstr("contract: 'vllm.group_fp8' is a group_quant row"));
  EXPECT_THAT(refusal({{"scales", "token"}}), HasSubstr("scales: 'token' are no scales of torch.scaled_mm_tensor.sm_90: tensor"));
  EXPECT_THAT(refusal({{"scales", "block"}}), HasSubstr("'block' is not one of: tensor, token, channel, token_channel"));
  EXPECT_THAT(refusal({{"y", "e4m3fn"}}), HasSubstr("y: 'e4m3fn' is no result of"));
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
  const Problem problem = gemm().problem(one);
  std::string text;
  for (const std::string& line : gemm().trace(one, problem, 1, 2)) text += line + "\n";
  EXPECT_THAT(text, HasSubstr("k 0..127: chain = "));
  EXPECT_THAT(text, HasSubstr("promoted: acc = "));
  EXPECT_THAT(text, HasSubstr("k 128..159: chain = "));
  EXPECT_THAT(text, HasSubstr("mul(sa*sb)"));
  EXPECT_THAT(text, HasSubstr("exact "));
  const int32_t d = computed(gemm().expect(one, problem, nullptr).any_of[0])[0].low[24 + 2];
  char code[16];
  std::snprintf(code, sizeof code, "d     %08x", code_from_ordinal(kF32, d));
  EXPECT_THAT(text, HasSubstr(code));
}

TEST(GemmScaled, RowsAreWhatTheyAreAlone) {
  const Case one = case_with({{"contract", "torch.scaled_mm_row.sm_90"}, {"scales", "token_channel"}});
  const Problem problem = gemm().problem(one);
  const std::vector<WholePart> all = computed(gemm().expect(one, problem, nullptr));
  const auto [few, of_few] = gemm().batch->with_rows(one, problem, {3, 1});
  const std::vector<WholePart> some = computed(gemm().expect(few, of_few, nullptr));
  for (int64_t column = 0; column < 24; ++column) {
    EXPECT_EQ(some[0].low[size_t(column)], all[0].low[size_t(3 * 24 + column)]);
    EXPECT_EQ(some[0].low[size_t(24 + column)], all[0].low[size_t(24 + column)]);
  }
}

/// No order of additions rounds, so every program has the same bits.
TEST(GemmScaled, ExactSumsHideEveryProgram) {
  const Case one = case_with({{"fill", "exact_sums"}, {"b", "exact_sums"}, {"k", "7168"}, {"scale", "ones"}});
  const Problem problem = gemm().problem(one);
  const Expectation programs = gemm().programs(one, problem);
  const std::vector<int32_t> first = computed(programs.any_of[0])[0].low;
  for (size_t i = 1; i < programs.any_of.size(); i += 37)
    EXPECT_EQ(computed(programs.any_of[i])[0].low, first) << programs.any_of[i].program;
}

}  // namespace
}  // namespace assay
