// A whole gemm_scaled tensor must match one variant. A contract may admit several split-K counts, several names may mean the same
// variant, and a library is held to the variant that it reports.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "harness/compare/compare.h"
#include "harness/diagnosis/programs.h"
#include "harness/run/judge_outputs.h"
#include "harness/run/run_case.h"
#include "reference/flow/dot/dot_contract.h"
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
  // half of the columns from another variant
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

/// Only the algorithm that a library reports is accepted.
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
  EXPECT_EQ(wrong.message, "made by split-K 2 and not by split-K 1, as the library says");
  EXPECT_EQ(none.outcome, Outcome::kFail);
  EXPECT_EQ(none.message, "the library says that it used stream-K, which the contract does not admit");
}

/// Variants of the case that the algorithm may be.
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
  EXPECT_THAT(meant(never, {.order = SaidAlgorithm::Order::kAny}), ElementsAre("split-K 1")) << "one part is added to none";
}

}  // namespace
}  // namespace assay::gemm_scaled_test
