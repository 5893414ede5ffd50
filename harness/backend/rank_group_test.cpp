// Calls of several ranks are made together.
#include "harness/backend/rank_group.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>

#include "harness/backend/runner.h"
#include "harness/backend/worker.h"
#include "harness/run/run_case.h"
#include "harness/testing/libraries.h"
#include "harness/testing/rank_problem.h"
#include "harness/testing/toy_library.h"
#include "harness/testing/toy_op.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

using ::testing::ElementsAre;
using testing::codes_of;
using testing::path_of_library;
using testing::problem_of;

void expect_sums(const Backend& backend) {
  for (int repetition = 0; repetition < 3; ++repetition) {
    const Problem problem = problem_of(2, 4 + repetition);
    const CallResult result = backend.call({"toy", "toy.copy", "sums_ranks", &problem, 1});
    ASSERT_EQ(result.status, CallStatus::kOk) << result.message;
    ASSERT_EQ(result.outputs.size(), 2u);
    for (int rank = 0; rank < 2; ++rank) {
      std::vector<int> expected(size_t(4 + repetition), 3);
      expected.back() = 20 + rank;
      EXPECT_EQ(codes_of(result.outputs[size_t(rank)]), expected) << "of rank " << rank;
      EXPECT_EQ(result.outputs[size_t(rank)].spec.rank, rank);
      EXPECT_THAT(result.untouched[size_t(rank)], ElementsAre());
    }
  }
}

TEST(RankGroup, RanksThatWaitForEachOtherGetTheirCallsAtOnce) {
  expect_sums(open_in_worker(path_of_library("toy_library"), "toy", {.timeout_seconds = 5, .program = ASSAY_PROGRAM}));
  expect_sums(testing::toy_backend());
}

TEST(RankGroup, GroupsOfOtherSizesAndSingleCallsMayFollowEachOther) {
  const Backend toy = testing::toy_backend();
  for (const int ranks : {2, 4, 2, 3}) {
    const Problem problem = problem_of(ranks);
    const CallResult result = toy.call({"toy", "toy.copy", "sums_ranks", &problem, 1});
    ASSERT_EQ(result.outputs.size(), size_t(ranks)) << result.message;
    EXPECT_EQ(codes_of(result.outputs.back()).front(), ranks * (ranks + 1) / 2);
    const Problem alone = testing::toy_problem(kBf16, 2, 8);
    EXPECT_EQ(toy.call({"toy", "toy.copy", "copy", &alone, 1}).status, CallStatus::kOk);
  }
}

TEST(RankGroup, ARankThatFailsIsNamed) {
  const Backend toy = testing::toy_backend();
  const Problem problem = problem_of(2);
  const CallResult result = toy.call({"toy", "toy.copy", "rank_fails", &problem, 1});
  EXPECT_EQ(result.status, CallStatus::kFailed);
  EXPECT_EQ(result.message, "rank 1: lost its peer");
}

TEST(RankGroup, WhatTheLibraryDoesNotOfferIsASkip) {
  const Backend toy = testing::toy_backend();
  const Problem five = problem_of(5), two = problem_of(2);
  EXPECT_EQ(toy.call({"toy", "toy.copy", "sums_ranks", &five, 1}).status, CallStatus::kUnsupported);
  EXPECT_EQ(toy.call({"toy", "toy.copy", "sums_ranks", &five, 1}).message, "the library cannot create a group of 5 ranks here");
  const Backend old = open_in_process(path_of_library("built_with_old_header"), "old");
  EXPECT_EQ(old.call({"toy", "toy.copy", "copy", &two, 1}).message, "the library has no groups of ranks");
}

/// Ranks get other inputs between two replays, so stale data from the first replay show in the second.
TEST(RankGroup, CallsOfRanksGoOnAStreamAndAreReplayed) {
  const Backend toy = testing::toy_backend();
  Problem problem = problem_of(2), other = problem_of(2);
  for (HostTensor& tensor : other.tensors)
    for (int64_t i = 0; i < 8 && tensor.spec.role == Role::kInput; ++i) tensor.set_code(i, 50);
  problem.before = {other};
  const auto first_code = [&](const char* kernel, LaunchMode mode) {
    const CallResult result = toy.call({"toy", "toy.copy", kernel, &problem, 1, mode});
    EXPECT_EQ(result.status, CallStatus::kOk) << result.message;
    return result.outputs.empty() ? -1 : codes_of(result.outputs.front()).front();
  };
  for (const LaunchMode mode : {LaunchMode::kDefault, LaunchMode::kStream, LaunchMode::kGraph})
    EXPECT_EQ(first_code("sums_ranks", mode), 3);
  EXPECT_EQ(first_code("late_under_replay", LaunchMode::kDefault), 3);
  EXPECT_EQ(first_code("late_under_replay", LaunchMode::kStream), 3);
  EXPECT_EQ(first_code("late_under_replay", LaunchMode::kGraph), 100) << "of the replay before";
  EXPECT_EQ(first_code("meets_the_one_ahead", LaunchMode::kDefault), 3);
  EXPECT_EQ(first_code("meets_the_one_ahead", LaunchMode::kStream), 2) << "nobody waits between two calls";
}

TEST(RankGroup, AHangNamesItsRankAndTheNextCallHasAnotherGroup) {
  Runner toy(std::shared_ptr<const assay_library>(testing::toy_library(), [](const assay_library*) {}));
  const Problem problem = problem_of(3);
  const CallResult result = toy.call({"toy", "toy.copy", "rank_hangs", &problem, 1});
  EXPECT_EQ(result.status, CallStatus::kBroken);
  EXPECT_EQ(result.message, "rank 1: hung: waits for rank 0 in the middle");
  EXPECT_FALSE(result.poisoned);
  const CallResult next = toy.call({"toy", "toy.copy", "counts_calls", &problem, 1});
  ASSERT_EQ(next.status, CallStatus::kOk) << next.message;
  EXPECT_EQ(codes_of(next.outputs.front()).front(), 1);
}

// Memory of ranks is allocated by the library and released with the group.
namespace device {
int groups = 0, allocations = 0;
std::vector<std::pair<int32_t, void*>> held;
assay_status copy(void* to, const void* from, size_t bytes) { return std::memcpy(to, from, bytes), ASSAY_OK; }
}  // namespace device

TEST(RankGroup, MemoryBelongsToTheGroup) {
  assay_library library = *testing::toy_library();
  library.allocate = [](size_t bytes) -> void* { return ++device::allocations, std::malloc(bytes); };
  library.release = [](void* data) { --device::allocations, std::free(data); };
  library.upload = device::copy;
  library.download = device::copy;
  library.create_group = [](int32_t n) { return ++device::groups, testing::toy_library()->create_group(n); };
  library.allocate_on = [](void*, int32_t rank, size_t bytes) {
    return device::held.emplace_back(rank, std::malloc(bytes)).second;
  };
  library.destroy_group = [](void* group) {
    --device::groups;
    for (const auto& [rank, data] : device::held) std::free(data);
    device::held.clear();
    testing::toy_library()->destroy_group(group);
  };
  {
    Runner runner(std::make_shared<assay_library>(library));
    const Problem problem = problem_of(2);
    const CallRequest request{"toy", "toy.copy", "sums_ranks", &problem, 1};
    EXPECT_EQ(runner.call(request).status, CallStatus::kOk);
    EXPECT_EQ(runner.call(request).status, CallStatus::kOk);
    EXPECT_EQ(device::groups, 1) << "kept for the next call";
    ASSERT_EQ(device::held.size(), 4u);
    EXPECT_EQ(device::held.front().first, 0);
    EXPECT_EQ(device::held.back().first, 1);
    EXPECT_EQ(device::allocations, 0) << "nothing of it is anybody else's";
  }
  EXPECT_EQ(device::groups, 0);
  EXPECT_TRUE(device::held.empty());
}

class CaseOfTwoRanks : public testing::ToyCase {
 public:
  CaseOfTwoRanks(const Case& one, int fourth_of_rank_1) : ToyCase(one), fourth_of_rank_1_(fourth_of_rank_1) {}
  Problem problem() const override { return problem_of(2); }
  Expectation expect(const Problem&, const std::vector<HostTensor>*) const override {
    std::vector<WholePart> parts;
    for (int rank = 0; rank < 2; ++rank) {
      WholePart y{{"y", &kE8M0, {1, 8}}, std::vector<int32_t>(8, ordinal(kE8M0, 3)), {}};
      y.part.name = "rank " + std::to_string(rank);
      y.part.rank = rank;
      y.low.back() = ordinal(kE8M0, uint32_t(20 + rank));
      if (rank == 1) y.low[4] = ordinal(kE8M0, uint32_t(fourth_of_rank_1_));
      parts.push_back(std::move(y));
    }
    return expectation_of(parts);
  }

 private:
  const int fourth_of_rank_1_;
};

TEST(RankGroup, ACaseOfTwoRanksIsJudgedRankByRank) {
  const Case one = testing::toy_case();
  const KernelOffer kernel{.name = "sums_ranks", .op = "toy"};
  EXPECT_EQ(run_case(testing::toy_op_of<CaseOfTwoRanks>(3), one, kernel, testing::toy_backend(), {}).outcome, Outcome::kPass);
  const Verdict wrong = run_case(testing::toy_op_of<CaseOfTwoRanks>(4), one, kernel, testing::toy_backend(), {});
  EXPECT_EQ(wrong.outcome, Outcome::kFail);
  ASSERT_EQ(wrong.tensors.size(), 2u);
  EXPECT_TRUE(wrong.tensors[0].agrees());
  EXPECT_EQ(wrong.tensors[1].outside, 1);
  EXPECT_EQ(wrong.tensors[1].first.at, (std::array<int64_t, 2>{0, 4}));
}

}  // namespace
}  // namespace assay
