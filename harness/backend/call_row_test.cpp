// Warm-up calls before a case, and back-to-back calls without synchronization.
#include "harness/backend/call_row.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "harness/backend/runner.h"
#include "harness/backend/worker.h"
#include "harness/testing/libraries.h"
#include "harness/testing/rank_problem.h"
#include "harness/testing/toy_library.h"

namespace assay {
namespace {

using ::testing::ElementsAre;
using testing::codes_of;
using testing::path_of_library;
using testing::problem_of;

/// A case brings its own warm-up calls, so its result does not depend on the cases before it.
TEST(CallRow, CallsBeforeAreMadeOnTheGroupOfTheCase) {
  const Backend here = testing::toy_backend(),
                elsewhere = open_in_worker(path_of_library("toy_library"), "toy", {.timeout_seconds = 5, .program = ASSAY_PROGRAM});
  Problem problem = problem_of(2);
  for (const Backend* backend : {&here, &elsewhere}) {
    for (const int before : {2, 0, 1}) {
      problem.before.assign(size_t(before), problem_of(2));
      const CallResult result = backend->call({"toy", "toy.copy", "counts_calls", &problem, 1});
      ASSERT_EQ(result.outputs.size(), 2u) << result.message;
      if (before > 0) {
        EXPECT_EQ(codes_of(result.outputs.front()).front(), before + 1);
      }
      EXPECT_EQ(codes_of(result.outputs.front())[1], 3) << "outputs are those of the last call";
    }
  }
  problem.before.assign(1, problem_of(2));
  const CallResult fails = here.call({"toy", "toy.copy", "rank_fails", &problem, 1});
  EXPECT_EQ(fails.status, CallStatus::kFailed);
  EXPECT_EQ(fails.message, "in the call before: rank 1: lost its peer");
}

TEST(CallRow, NobodyWaitsBetweenCallsInARow) {
  Problem problem = problem_of(2);
  const auto first_code = [&](const assay_library& library) {
    Runner runner(std::make_shared<assay_library>(library));
    const CallResult result = runner.call({"toy", "toy.copy", "meets_the_one_ahead", &problem, 1});
    EXPECT_EQ(result.status, CallStatus::kOk) << result.message;
    return result.outputs.empty() ? -1 : codes_of(result.outputs.front()).front();
  };
  assay_library waits = *testing::toy_library();
  waits.run_group_in_a_row = nullptr;
  problem.before.assign(2, problem_of(2));
  EXPECT_EQ(first_code(*testing::toy_library()), 3) << "each is waited for";
  problem.parameters = {{"in_a_row", 1}};
  EXPECT_EQ(first_code(*testing::toy_library()), 2);
  Runner runner(std::make_shared<assay_library>(waits));
  const CallResult skipped = runner.call({"toy", "toy.copy", "meets_the_one_ahead", &problem, 1});
  EXPECT_EQ(skipped.status, CallStatus::kUnsupported);
  EXPECT_EQ(skipped.message, "the library waits for each call of a group");
  problem.before.clear();
  EXPECT_EQ(first_code(*testing::toy_library()), 3) << "a call alone";
}

/// Inputs of rank r are 1 + r; those of the first warm-up call are larger by 50.
TEST(CallRow, ACallWithTheNumbersOfTheFirstIsMadeBehind) {
  static std::vector<std::vector<int>> seen;
  assay_library library = *testing::toy_library();
  library.run_group_in_a_row = [](void* group, const assay_call* const* const* calls, int32_t n_calls, int32_t n) {
    for (int32_t i = 0; i < n_calls; ++i) {
      seen.emplace_back();
      for (int32_t r = 0; r < n; ++r) seen.back().push_back(*static_cast<const unsigned char*>(calls[i][r]->tensors[0].data));
    }
    return testing::toy_library()->run_group_in_a_row(group, calls, n_calls, n);
  };
  Problem problem = problem_of(2);
  problem.before = {problem_of(2), problem_of(2)};
  problem.parameters = {{"in_a_row", 1}};
  for (HostTensor& tensor : problem.before.front().tensors)
    for (int64_t i = 0; i < 8 && tensor.spec.role == Role::kInput; ++i) tensor.set_code(i, uint32_t(51 + tensor.spec.rank));
  Runner runner(std::make_shared<assay_library>(library));
  const CallResult result = runner.call({"toy", "toy.copy", "sums_ranks", &problem, 1});
  ASSERT_EQ(result.status, CallStatus::kOk) << result.message;
  EXPECT_EQ(codes_of(result.outputs.front()).front(), 3) << "outputs are those of the case";
  using Numbers = std::vector<int>;
  EXPECT_THAT(seen, ElementsAre(Numbers{51, 52}, Numbers{1, 2}, Numbers{1, 2}, Numbers{51, 52}));
}

}  // namespace
}  // namespace assay
