// Tests calls as structs of the C ABI: single calls, and several calls in a row.
#include "harness/backend/abi_call.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "harness/backend/library.h"
#include "harness/backend/runner.h"
#include "harness/backend/worker.h"
#include "harness/testing/program.h"
#include "harness/testing/toy_library.h"
#include "harness/testing/toy_op.h"

namespace assay {
namespace {

using ::testing::ElementsAre;
using testing::codes_of;
using testing::path_of_library;
using testing::problem_of;

// Special calls: two tensors at one address, a workspace, two codes per byte, and a library older than assay_algorithm.

/// x and y share memory: a write to x appears in y, in this process and in a worker.
TEST(SharedMemory, AnOutputMayHaveTheAddressOfAnInput) {
  const Backend here = testing::toy_backend(), elsewhere = open_in_worker(path_of_library("toy_library"), "toy",
                                                                          {.timeout_seconds = 5, .program = ASSAY_PROGRAM});
  for (const Backend* backend : {&here, &elsewhere}) {
    Problem problem = testing::toy_problem(kE8M0, 1, 8);
    HostTensor &x = find(problem.tensors, "x"), &y = find(problem.tensors, "y");
    const CallRequest request{"toy", "toy.copy", "changes_input", &problem, 1};
    EXPECT_THAT(backend->call(request).message, ::testing::HasSubstr("input 'x' was changed"));
    y.spec.shares = "x";
    y.bytes = x.bytes;
    const CallResult shared = backend->call(request);
    ASSERT_EQ(shared.status, CallStatus::kOk) << shared.message;
    EXPECT_NE(shared.outputs.front().bytes, x.bytes) << "y has what the kernel wrote to x";
    EXPECT_TRUE(shared.in_place.front());
  }
}

/// A library of an older ABI, and the algorithm that its message reports.
struct OldLibrary {
  const char* name;
  SaidAlgorithm said;
};

TEST(OldHeader, ALibraryBuiltWithItLoadsAndPasses) {
  for (const OldLibrary& library :
       {OldLibrary{"built_with_old_header", {}}, OldLibrary{"built_with_header_2026_11_25", {.split_k = 3}}}) {
    const std::string path = path_of_library(library.name);
    const Problem problem = testing::toy_problem(kBf16, 2, 8);
    for (const bool in_worker : {false, true}) {
      const Backend old = in_worker ? open_in_worker(path, "old", {.timeout_seconds = 20, .program = ASSAY_PROGRAM})
                                    : open_in_process(path, "old");
      const CallResult result = old.call({"toy", "toy.copy", "copy", &problem, 1});
      EXPECT_EQ(result.status, CallStatus::kOk) << result.message;
      EXPECT_EQ(result.outputs.at(0).bytes, problem.tensors[0].bytes);
      EXPECT_EQ(result.said, library.said) << library.name;
      EXPECT_FALSE(old.library.honours_schedule_seed) << "false unless describe() declares it";
    }
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
  EXPECT_EQ(x.bytes[0], std::byte{0x10}) << "an even element is in the low half of its byte";
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

// Warm-up calls before a case, and back-to-back calls without synchronization.

/// A case brings its own warm-up calls, so its result does not depend on the cases before it.
TEST(CallRow, CallsBeforeAreMadeOnTheGroupOfTheCase) {
  const Backend here = testing::toy_backend(), elsewhere = open_in_worker(path_of_library("toy_library"), "toy",
                                                                          {.timeout_seconds = 5, .program = ASSAY_PROGRAM});
  Problem problem = problem_of(2);
  for (const Backend* backend : {&here, &elsewhere}) {
    for (const int before : {2, 0, 1}) {
      problem.before.assign(size_t(before), problem_of(2));
      const CallResult result = backend->call({"toy", "toy.copy", "counts_calls", &problem, 1});
      ASSERT_EQ(result.outputs.size(), 2u) << result.message;
      if (before > 0) {
        EXPECT_EQ(codes_of(result.outputs.front()).front(), before + 1);
      }
      EXPECT_EQ(codes_of(result.outputs.front())[1], 3) << "the outputs are those of the last call";
    }
  }
  problem.before.assign(1, problem_of(2));
  const CallResult fails = here.call({"toy", "toy.copy", "rank_fails", &problem, 1});
  EXPECT_EQ(fails.status, CallStatus::kFailed);
  EXPECT_EQ(fails.message, "in an earlier call: rank 1: lost its peer");
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
  EXPECT_EQ(first_code(*testing::toy_library()), 3) << "the library waits for each call";
  problem.parameters = {{"in_a_row", 1}};
  EXPECT_EQ(first_code(*testing::toy_library()), 2);
  Runner runner(std::make_shared<assay_library>(waits));
  const CallResult skipped = runner.call({"toy", "toy.copy", "meets_the_one_ahead", &problem, 1});
  EXPECT_EQ(skipped.status, CallStatus::kUnsupported);
  EXPECT_EQ(skipped.message, "the library has no run_group_in_a_row()");
  problem.before.clear();
  EXPECT_EQ(first_code(*testing::toy_library()), 3) << "a single call";
}

/// The inputs of rank r are 1 + r; in the first warm-up call they are 51 + r. The last of the consecutive calls repeats the first
/// one.
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
  EXPECT_EQ(codes_of(result.outputs.front()).front(), 3) << "the outputs are those of the problem's call";
  using Numbers = std::vector<int>;
  EXPECT_THAT(seen, ElementsAre(Numbers{51, 52}, Numbers{1, 2}, Numbers{1, 2}, Numbers{51, 52}));
}

}  // namespace
}  // namespace assay
