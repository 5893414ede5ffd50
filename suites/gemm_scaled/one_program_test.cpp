// A whole tensor of gemm_scaled belongs to one program: a contract has those that cut k otherwise, names of one mean the same,
// and a library is held to the one that it names.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "harness/compare/compare.h"
#include "harness/diagnosis/programs.h"
#include "harness/run/judge_outputs.h"
#include "harness/run/run_case.h"
#include "reference/flow/dot/dot.h"
#include "suites/testing/usual_gemm.h"

namespace assay::gemm_scaled_test {
namespace {

using testing::ElementsAre;

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
  // Half of the columns by another program.
  for (int64_t i = 0; i < split[0].spec.elements(); ++i)
    if (i % 24 >= 12) split[0].set_code(i, whole[0].code(i));
  EXPECT_FALSE(compare(expectation, split, {{}}).agrees());
  EXPECT_THAT(programs_that_made(gemm().bind(one)->programs(problem), split), ElementsAre());
}

Verdict verdict_on(const Case& one, std::vector<HostTensor> outputs, const std::string& said) {
  const Problem problem = gemm().bind(one)->problem();
  CallResult result;
  result.outputs = std::move(outputs);
  result.untouched = {{}};
  result.in_place = {false};
  result.program = said;
  Verdict verdict = blank_verdict(one, "cuts_k", "a_library");
  judge_outputs(*gemm().bind(one), problem, result, verdict);
  return verdict;
}

/// What a library foretells is the one right answer.
TEST(GemmScaled, ALibraryThatSaysItsProgramIsHeldToIt) {
  const Case one = case_with({{"contract", "torch.scaled_mm_tensor_fast.sm_90"}});
  const Problem problem = gemm().bind(one)->problem();
  const Expectation expectation = gemm().bind(one)->expect(problem, nullptr);
  ASSERT_EQ(expectation.any_of[1].program, "split-K 2");
  const std::vector<HostTensor> split = outputs_of(problem, expectation.any_of[1]);
  const Verdict silent = verdict_on(one, split, ""), right = verdict_on(one, split, "split-K 2"),
                wrong = verdict_on(one, split, "split-K 1"), none = verdict_on(one, split, "stream-K");
  EXPECT_EQ(silent.outcome, Outcome::kPass);
  EXPECT_EQ(right.outcome, Outcome::kPass);
  EXPECT_EQ(right.program_said, "split-K 2");
  EXPECT_EQ(wrong.outcome, Outcome::kFail);
  EXPECT_EQ(wrong.message, "made by split-K 2 and not by split-K 1, as the library says");
  EXPECT_EQ(none.outcome, Outcome::kFail);
  EXPECT_EQ(none.message, "the library says that it used stream-K, which the contract does not admit");
}

TEST(GemmScaled, NamesOfOneProgramMeanTheSame) {
  const auto meant = [](const TestCells& cells, const std::string& said) { return gemm().bind(case_with(cells))->program_meant(said); };
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

}  // namespace
}  // namespace assay::gemm_scaled_test
