// Tests calls of several ranks, in one process and in several.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <mutex>
#include <thread>

#include "harness/backend/rank_processes.h"
#include "harness/backend/runner.h"
#include "harness/backend/worker.h"
#include "harness/run/run_case.h"
#include "harness/testing/program.h"
#include "harness/testing/toy_library.h"
#include "harness/testing/toy_op.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::codes_of;
using testing::path_of_library;
using testing::problem_of;

// The calls of several ranks are made at the same time.

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
  EXPECT_EQ(old.call({"toy", "toy.copy", "copy", &two, 1}).message, "the library has no groups of ranks: create_group is NULL");
}

/// Ranks have other inputs in the first replay than in the second. So the outputs of the second are wrong if a kernel reads data
/// of the first.
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
  EXPECT_EQ(first_code("late_under_replay", LaunchMode::kGraph), 100) << "the sum of the first replay";
  EXPECT_EQ(first_code("meets_the_one_ahead", LaunchMode::kDefault), 3);
  EXPECT_EQ(first_code("meets_the_one_ahead", LaunchMode::kStream), 2) << "no rank waits between two calls";
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
    EXPECT_EQ(device::allocations, 0) << "all memory was the group's";
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

// Calls of several ranks are divided between processes, and their results are joined.

Problem problem_of_members(int ranks) {
  Problem problem;
  problem.ranks = ranks;
  for (int rank = 0; rank < ranks; ++rank)
    for (HostTensor& tensor : testing::toy_problem(kE8M0, 1, 4).tensors) {
      tensor.spec.rank = rank;
      problem.tensors.push_back(std::move(tensor));
    }
  return problem;
}

/// A result in which each rank's y holds the rank number.
CallResult numbers_of_ranks(const CallRequest& request) {
  CallResult result;
  for (const HostTensor& tensor : request.problem->tensors) {
    EXPECT_GE(tensor.spec.rank, request.place->first);
    EXPECT_LT(tensor.spec.rank, request.place->first + request.place->count);
    if (tensor.spec.role != Role::kOutput) continue;
    HostTensor y{tensor.spec, std::vector<std::byte>(tensor.spec.bytes())};
    y.set_code(0, uint32_t(tensor.spec.rank));
    result.outputs.push_back(std::move(y));
    result.untouched.emplace_back();
    result.in_place.push_back(false);
  }
  return result;
}

TEST(RankMembers, HoldNeighboursAsEvenlyAsCanBe) {
  for (const int members : {1, 2, 3, 4, 9})
    for (const int ranks : {2, 4, 6, 8}) {
      int next = 0;
      for (int i = 0; i < members; ++i) {
        const RankPlace place = place_of(ranks, i, members);
        EXPECT_EQ(place.first, next);
        EXPECT_TRUE(place.count == ranks / members || place.count == ranks / members + 1);
        next += place.count;
      }
      EXPECT_EQ(next, ranks);
    }
}

TEST(RankMembers, OutputsAreThoseOfAllRanksInTheirOrder) {
  std::mutex mutex;
  std::map<int, std::string> folders;
  const RankMember member = [&](const CallRequest& request) {
    {
      const std::lock_guard lock(mutex);
      folders[request.place->first] = request.place->folder;
    }
    EXPECT_TRUE(std::filesystem::is_directory(request.place->folder));
    return numbers_of_ranks(request);
  };
  const Problem problem = problem_of_members(6);
  const CallResult result = call_members({member, member, member, member}, {"toy", "toy.copy", "any", &problem, 1});
  ASSERT_EQ(result.status, CallStatus::kOk) << result.message;
  ASSERT_EQ(result.outputs.size(), 6u);
  for (int rank = 0; rank < 6; ++rank) EXPECT_EQ(result.outputs[size_t(rank)].code(0), uint32_t(rank));
  ASSERT_EQ(folders.size(), 4u);
  for (const auto& [first, folder] : folders) EXPECT_EQ(folder, folders.begin()->second);
  EXPECT_FALSE(std::filesystem::exists(folders.begin()->second)) << "removed after the call";
}

TEST(RankMembers, OneThatBreaksIsNamedBeforeThoseThatWaited) {
  const RankMember waits = [](const CallRequest&) {
    CallResult result;
    result.status = CallStatus::kBroken;
    result.message = "rank 0: hung: block 3 waited in vain for rank 2 at the start";
    return result;
  };
  const RankMember dies = [](const CallRequest&) {
    CallResult result;
    result.status = CallStatus::kBroken;
    result.message = "crashed: SIGSEGV";
    return result;
  };
  const Problem problem = problem_of_members(4);
  const CallResult result = call_members({waits, dies}, {"toy", "toy.copy", "any", &problem, 1});
  EXPECT_EQ(result.status, CallStatus::kBroken);
  EXPECT_EQ(result.message, "ranks 2 to 3: crashed: SIGSEGV; ranks 0 to 1: waited for rank 2") << "ranks 0 and 1 did not hang";
  EXPECT_TRUE(result.outputs.empty());
}

TEST(RankMembers, RanksThatWaitForEachOtherHang) {
  const auto waits_for = [](int rank) {
    return RankMember([rank](const CallRequest&) {
      CallResult result;
      result.status = CallStatus::kBroken;
      result.message = "hung: block 3 waited in vain for rank " + std::to_string(rank);
      return result;
    });
  };
  const Problem problem = problem_of_members(2);
  const CallResult result = call_members({waits_for(1), waits_for(0)}, {"toy", "toy.copy", "any", &problem, 1});
  EXPECT_EQ(result.message, "rank 0: hung: block 3 waited in vain for rank 1; rank 1: hung: block 3 waited in vain for rank 0");
}

TEST(RankMembers, AfterACrashTheOthersGetASecondAndAreNotCalledHung) {
  std::atomic<bool> give_up{false};
  const RankMember waits = [&](const CallRequest&) {
    while (!give_up) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    CallResult result;
    result.status = CallStatus::kBroken;
    result.message = std::string(kNotWaitedFor) + ": the run ended";
    return result;
  };
  const RankMember dies = [](const CallRequest&) {
    CallResult result;
    result.status = CallStatus::kBroken;
    result.message = "crashed: SIGSEGV";
    return result;
  };
  const Problem problem = problem_of_members(4);
  const auto start = std::chrono::steady_clock::now();
  const CallResult result = call_members({waits, dies, waits}, {"toy", "toy.copy", "any", &problem, 1}, &give_up);
  EXPECT_EQ(result.status, CallStatus::kBroken);
  EXPECT_EQ(result.message, "rank 2: crashed: SIGSEGV; ranks 0 to 1: waited for rank 2; rank 3: waited for rank 2");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

TEST(RankMembers, ALibraryWithoutSuchGroupsIsASkip) {
  const std::string toy = testing::path_of_library("toy_library");
  const Backend one = open_in_worker(toy, "toy", {.timeout_seconds = 20, .program = ASSAY_PROGRAM}),
                other = open_in_process(toy, "toy");
  EXPECT_FALSE(one.library.joins_groups);
  const Problem problem = problem_of_members(2);
  const CallResult result = call_members({one.call, other.call}, {"toy", "toy.copy", "sums_ranks", &problem, 1});
  EXPECT_EQ(result.status, CallStatus::kUnsupported);
  EXPECT_EQ(result.message, "the library cannot run the ranks of a group in several processes: join_group is NULL");
}

TEST(Launch, IsOpenMpisOnOneMachine) {
  std::map<std::string, std::string> variables = {
      {"OMPI_COMM_WORLD_RANK", "2"}, {"OMPI_COMM_WORLD_SIZE", "4"}, {"OMPI_COMM_WORLD_LOCAL_SIZE", "4"}, {"PMIX_NAMESPACE", "7"}};
  const auto launch = [&] {
    return launch_of_environment([&](const char* name) { return variables.contains(name) ? variables[name].c_str() : nullptr; });
  };
  ASSERT_TRUE(launch());
  EXPECT_EQ(launch()->index, 2);
  EXPECT_EQ(launch()->count, 4);
  EXPECT_EQ(launch()->job, "7");
  for (const auto& [name, text] : std::map<std::string, std::string>{{"OMPI_COMM_WORLD_LOCAL_SIZE", "2"},
                                                                     {"OMPI_COMM_WORLD_SIZE", "1"},
                                                                     {"OMPI_COMM_WORLD_RANK", "4"},
                                                                     {"PMIX_NAMESPACE", ""}}) {
    const std::string right = std::exchange(variables[name], text);
    EXPECT_FALSE(launch()) << name;
    variables[name] = right;
  }
  variables.clear();
  EXPECT_FALSE(launch());
}

}  // namespace
}  // namespace assay
