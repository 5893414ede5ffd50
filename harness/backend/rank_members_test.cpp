// Calls of several ranks are divided between processes, and their results are joined.
#include "harness/backend/rank_members.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <map>
#include <mutex>
#include <thread>

#include "harness/backend/launch.h"
#include "harness/backend/worker.h"
#include "harness/testing/libraries.h"
#include "harness/testing/toy_op.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

using ::testing::HasSubstr;

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

/// Each rank's y holds its rank number.
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
  EXPECT_EQ(result.message, "ranks 2 to 3: crashed: SIGSEGV; rank 0: hung: block 3 waited in vain for rank 2 at the start");
  EXPECT_TRUE(result.outputs.empty());
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
  EXPECT_EQ(result.message, "the library has no groups whose ranks are processes");
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
