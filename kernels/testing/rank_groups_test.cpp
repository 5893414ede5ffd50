// Groups of ranks beside each other: each has areas of its own, whether their calls take turns or are made at once (TensorRT-LLM
// 3988: one workspace of two groups hangs).
#include <gtest/gtest.h>

#include <thread>

#include "kernels/testing/library.h"

namespace assay_kernels {
namespace {

constexpr int kRanks = 4;
constexpr int64_t kElements = 1024;

/// A group of a library, and calls whose sums are exact.
class Group {
 public:
  Group(const assay_library& library, const char* contract, const char* kernel)
      : library_(library), contract_(contract), kernel_(kernel), handle_(library.create_group(kRanks)) {}
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;
  ~Group() { library_.destroy_group(handle_); }

  /// Elements that are not the sum of what the ranks have: `number`, and more by 1 for each rank and by 1/8 for each place of 16.
  int64_t wrong(float number) {
    std::array<std::vector<float>, kRanks> x, y;
    std::deque<std::array<assay_tensor, 2>> tensors;
    std::array<assay_call, kRanks> calls{};
    std::array<const assay_call*, kRanks> pointers{};
    static const int64_t shape[] = {1, kElements}, strides[] = {kElements, 1};
    static const assay_param parameters[] = {{"warp", 32}};
    for (size_t r = 0; r < kRanks; ++r) {
      y[r].assign(size_t(kElements), -1.0f);
      for (int64_t i = 0; i < kElements; ++i) x[r].push_back(number + float(r) + float(i % 16) / 8);
      tensors.push_back(
          {assay_tensor{sizeof(assay_tensor), ASSAY_FLOAT, 32, 0, 2, "x", shape, strides, x[r].data(), kElements * 4},
           assay_tensor{sizeof(assay_tensor), ASSAY_FLOAT, 32, 1, 2, "y", shape, strides, y[r].data(), kElements * 4}});
      assay_call& call = calls[r];
      call.size = sizeof call, call.op = "all_reduce", call.contract = contract_, call.kernel = kernel_;
      call.tensors = tensors.back().data(), call.n_tensors = 2, call.params = parameters, call.n_params = 1;
      call.rank = int32_t(r), call.world_size = kRanks;
      pointers[r] = &call;
    }
    if (library_.run_group(handle_, pointers.data(), kRanks) != ASSAY_OK) return -1;
    int64_t count = 0;
    for (const std::vector<float>& of_rank : y)
      for (int64_t i = 0; i < kElements; ++i) count += of_rank[size_t(i)] != kRanks * (number + float(i % 16) / 8) + 6;
    return count;
  }

 private:
  const assay_library& library_;
  const char *contract_, *kernel_;
  void* handle_;
};

/// How many calls of two groups go wrong that are called by turns, one of them less often, so that their counts of calls part.
int wrong_by_turns(const assay_library& library, const char* contract, const char* kernel) {
  Group one(library, contract, kernel), other(library, contract, kernel);
  int wrong = 0;
  for (int call = 0; call < 12; ++call) {
    wrong += one.wrong(float(call)) != 0;
    if (call % 3 != 1) wrong += other.wrong(float(100 + call)) != 0;
  }
  return wrong;
}

/// The same of two that threads call at once.
int wrong_at_once(const assay_library& library, const char* contract, const char* kernel) {
  const auto calls = [&](float first) {
    Group group(library, contract, kernel);
    int wrong = 0;
    for (int call = 0; call < 40; ++call) wrong += group.wrong(first + float(call)) != 0;
    return wrong;
  };
  int of_other = 0;
  std::thread other([&] { of_other = calls(1000); });
  const int wrong = calls(0);
  other.join();
  return wrong + of_other;
}

class RankGroups : public testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(RankGroups, TakeTurns) {
  EXPECT_EQ(wrong_by_turns(open_library(ASSAY_CPU_LIBRARY), GetParam().first, GetParam().second), 0);
}

TEST_P(RankGroups, AreUsedAtOnce) {
  EXPECT_EQ(wrong_at_once(open_library(ASSAY_CPU_LIBRARY), GetParam().first, GetParam().second), 0);
}

TEST(OneWorkspaceOfAllGroups, IsSeenEitherWay) {
  const assay_library& shared = open_library(ASSAY_ONE_WORKSPACE_PROBE);
  EXPECT_GT(wrong_by_turns(shared, "flashinfer.all_reduce_oneshot", "all_reduce.lamport"), 0);
  EXPECT_GT(wrong_at_once(shared, "flashinfer.all_reduce_oneshot", "all_reduce.lamport"), 0);
}

INSTANTIATE_TEST_SUITE_P(Protocols, RankGroups,
                         testing::Values(std::pair("vllm.all_reduce_2stage", "all_reduce.two_shot"),
                                         std::pair("sglang.all_reduce_v2_push", "all_reduce.lamport"),
                                         std::pair("flashinfer.all_reduce_oneshot", "all_reduce.lamport")),
                         [](const auto& protocol) {
                           std::string name = protocol.param.first;
                           for (char& letter : name)
                             if (letter == '.') letter = '_';
                           return name;
                         });

}  // namespace
}  // namespace assay_kernels
