// Calls of several ranks are made together, and old libraries know nothing of it.
#include "harness/backend/rank_group.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>

#include "harness/backend/runner.h"
#include "harness/backend/worker.h"
#include "harness/run/run_case.h"
#include "harness/testing/toy_library.h"
#include "harness/testing/toy_op.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

using ::testing::ElementsAre;

std::string path_of_library(const std::string& name) { return ASSAY_TESTING_FOLDER "/libassay_testing_" + name + ".so"; }

/// x of rank r holds r + 1 everywhere, in codes of a byte.
Problem problem_of(int ranks, int64_t n = 8) {
  Problem problem;
  problem.ranks = ranks;
  for (int rank = 0; rank < ranks; ++rank) {
    for (HostTensor& tensor : testing::toy_problem(kE8M0, 1, n).tensors) {
      tensor.spec.rank = rank;
      for (int64_t i = 0; i < n && tensor.spec.role == Role::kInput; ++i) tensor.set_code(i, uint32_t(rank + 1));
      problem.tensors.push_back(std::move(tensor));
    }
  }
  return problem;
}

std::vector<int> codes_of(const HostTensor& tensor) {
  std::vector<int> codes;
  for (int64_t i = 0; i < tensor.spec.elements(); ++i) codes.push_back(int(tensor.code(i)));
  return codes;
}

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
  EXPECT_EQ(toy.call({"toy", "toy.copy", "sums_ranks", &five, 1}).message, "the library makes no group of 5 ranks here");
  const Backend old = open_in_process(path_of_library("built_with_old_header"), "old");
  EXPECT_EQ(old.call({"toy", "toy.copy", "copy", &two, 1}).message, "the library has no groups of ranks");
}

/// Between two replays ranks have other numbers: what is left of the first then shows in the second.
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

TEST(RankGroup, NobodyWaitsBetweenCallsInARow) {
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

/// Numbers of rank r are 1 + r, and those of the first call before it more by 50.
TEST(RankGroup, ACallWithTheNumbersOfTheFirstIsMadeBehind) {
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

/// A case whose calls before are part of it depends on no other case.
TEST(RankGroup, CallsBeforeAreMadeOnTheGroupOfTheCase) {
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

/// In place: what is written to x is in y, here and in a worker.
TEST(SharedMemory, AnOutputMayHaveTheAddressOfAnInput) {
  const Backend here = testing::toy_backend(),
                elsewhere = open_in_worker(path_of_library("toy_library"), "toy", {.timeout_seconds = 5, .program = ASSAY_PROGRAM});
  for (const Backend* backend : {&here, &elsewhere}) {
    Problem problem = testing::toy_problem(kE8M0, 1, 8);
    HostTensor &x = find(problem.tensors, "x"), &y = find(problem.tensors, "y");
    const CallRequest request{"toy", "toy.copy", "changes_input", &problem, 1};
    EXPECT_THAT(backend->call(request).message, ::testing::HasSubstr("input 'x' was changed"));
    y.spec.shares = "x";
    y.bytes = x.bytes;
    const CallResult shared = backend->call(request);
    ASSERT_EQ(shared.status, CallStatus::kOk) << shared.message;
    EXPECT_NE(shared.outputs.front().bytes, x.bytes) << "what was written to x";
    EXPECT_TRUE(shared.in_place.front());
  }
}

// Memory of the ranks, asked of the library and given back with the group.
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

TEST(RankGroup, ACaseOfTwoRanksIsJudgedRankByRank) {
  Op op;
  op.name = "toy";
  op.problem = [](const Case&) { return problem_of(2); };
  const auto wanted = [](int fourth_of_rank_1) {
    return [fourth_of_rank_1](const Case&, const Problem&, const std::vector<HostTensor>*) {
      std::vector<WholePart> parts;
      for (int rank = 0; rank < 2; ++rank) {
        WholePart y{{"y", &kE8M0, {1, 8}}, std::vector<int32_t>(8, ordinal(kE8M0, 3)), {}};
        y.part.name = "rank " + std::to_string(rank);
        y.part.rank = rank;
        y.low.back() = ordinal(kE8M0, uint32_t(20 + rank));
        if (rank == 1) y.low[4] = ordinal(kE8M0, uint32_t(fourth_of_rank_1));
        parts.push_back(std::move(y));
      }
      return expectation_of(parts);
    };
  };
  const Case one = testing::toy_case();
  const KernelOffer kernel{.name = "sums_ranks", .op = "toy"};
  op.expect = wanted(3);
  EXPECT_EQ(run_case(op, one, kernel, testing::toy_backend(), {}).outcome, Outcome::kPass);
  op.expect = wanted(4);
  const Verdict wrong = run_case(op, one, kernel, testing::toy_backend(), {});
  EXPECT_EQ(wrong.outcome, Outcome::kFail);
  ASSERT_EQ(wrong.tensors.size(), 2u);
  EXPECT_TRUE(wrong.tensors[0].agrees());
  EXPECT_EQ(wrong.tensors[1].outside, 1);
  EXPECT_EQ(wrong.tensors[1].first.at, (std::array<int64_t, 2>{0, 4}));
}

TEST(OldHeader, ALibraryBuiltWithItLoadsAndPasses) {
  const std::string path = path_of_library("built_with_old_header");
  const Problem problem = testing::toy_problem(kBf16, 2, 8);
  for (const bool in_worker : {false, true}) {
    const Backend old =
        in_worker ? open_in_worker(path, "old", {.timeout_seconds = 20, .program = ASSAY_PROGRAM}) : open_in_process(path, "old");
    const CallResult result = old.call({"toy", "toy.copy", "copy", &problem, 1});
    EXPECT_EQ(result.status, CallStatus::kOk) << result.message;
    EXPECT_EQ(result.outputs.at(0).bytes, problem.tensors[0].bytes);
    EXPECT_FALSE(old.library.honours_schedule_seed) << "what it does not declare";
  }
}

TEST(Workspace, IsGivenAndGuarded) {
  const Backend toy = testing::toy_backend();
  const Problem problem = testing::toy_problem(kBf16, 2, 8);
  EXPECT_EQ(toy.call({"toy", "toy.copy", "uses_workspace", &problem, 1}).status, CallStatus::kOk);
  const CallResult result = toy.call({"toy", "toy.copy", "exceeds_workspace", &problem, 1});
  EXPECT_EQ(result.status, CallStatus::kBroken);
  EXPECT_EQ(result.message, "wrote outside the workspace: 1 byte behind its end, first 0 bytes behind it");
}

TEST(PackedCodes, TwoStandInAByte) {
  HostTensor x{dense("x", Role::kInput, kE2M1, {3, 6}), {}};
  x.spec.packed = true;
  EXPECT_EQ(x.spec.bytes(), 9u);
  x.bytes.resize(x.spec.bytes());
  for (int64_t i = 0; i < 18; ++i) x.set_code(i, uint32_t(i) % 16);
  EXPECT_EQ(x.bytes[0], std::byte{0x10}) << "the even element has the low half";
  EXPECT_EQ(x.code(15), 15u);
  EXPECT_EQ(x.code(16), 0u);
  EXPECT_EQ(x.spec.byte_of(7), 3u);
  EXPECT_EQ(x.spec.element_of(3), 6);

  HostTensor y{x.spec, {}};
  y.spec.name = "y";
  y.spec.role = Role::kOutput;
  const Problem problem{{x, y}};
  const std::string toy = path_of_library("toy_library");
  for (const Backend& backend :
       {testing::toy_backend(), open_in_worker(toy, "toy", {.timeout_seconds = 20, .program = ASSAY_PROGRAM})}) {
    const CallResult result = backend.call({"toy", "toy.copy", "copy", &problem, 1});
    ASSERT_EQ(result.status, CallStatus::kOk) << result.message;
    EXPECT_EQ(result.outputs.at(0).code(17), 1u);
    EXPECT_THAT(result.untouched.at(0), ElementsAre());
  }
  const Backend here = testing::toy_backend();
  EXPECT_EQ(here.call({"toy", "toy.copy", "changes_input", &problem, 1}).message,
            "input 'x' was changed, first at storage element 8");
}

}  // namespace
}  // namespace assay
