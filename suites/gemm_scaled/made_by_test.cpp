// Identifies the algorithm behind gemm_scaled outputs among all variants of all instructions. Every variant is found, unknown
// outputs are reported as unknown, and exact sums match every variant.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "harness/diagnosis/programs.h"
#include "reference/flow/dot/dot_text.h"
#include "suites/gemm/expect.h"
#include "suites/rulebook.h"
#include "suites/testing/usual_gemm.h"

namespace assay::gemm_scaled_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// Data that distinguish most variants; k has more tiles than split-K parts.
std::vector<Case> telling_cases(const std::string& contract, const std::string& scales) {
  const auto with = [&](const char* k, const char* fill, const char* b) {
    return case_with({{"contract", contract}, {"scales", scales}, {"m", "3"}, {"n", "16"}, {"k", k}, {"fill", fill}, {"b", b}});
  };
  return {with("7168", "few_maxima", "few_maxima"), with("416", "near_one", "near_one"),
          with("160", "equal_pairs", "cancelling_pairs"), with("512", "block_outliers", "wide")};
}

/// Every variant with split-K 1 or 2 is identified, and no other of its instruction.
TEST(GemmScaled, TheProgramThatMadeOutputsIsFoundAmongAll) {
  const std::vector<Case> cases = telling_cases("torch.scaled_mm_row.sm_90", "token_channel");
  std::vector<std::map<std::string, std::vector<int32_t>>> made(cases.size());  // per case: outputs by variant
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

/// mma.sync of sm_90 and sm_100 starts from 0 and adds c after the sum, which is the same as one addition per instruction. So no
/// data distinguish these two, and they are one variant. If c is one of the terms there are two.
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

/// No order of additions rounds, so every variant returns the same bits.
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
