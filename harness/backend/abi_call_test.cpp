// Variants of a call: two tensors with one address, a workspace, two codes per byte, and a library from before assay_algorithm.
#include "harness/backend/abi_call.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/backend/library.h"
#include "harness/backend/worker.h"
#include "harness/testing/libraries.h"
#include "harness/testing/rank_problem.h"

namespace assay {
namespace {

using ::testing::ElementsAre;
using testing::path_of_library;

/// In place: a write to x appears in y, here and in a worker.
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

/// A library of an older ABI, and the algorithm that its message names.
struct OldLibrary {
  const char* name;
  SaidAlgorithm said;
};

TEST(OldHeader, ALibraryBuiltWithItLoadsAndPasses) {
  for (const OldLibrary& library : {OldLibrary{"built_with_old_header", {}}, OldLibrary{"built_with_header_2026_11_25", {.split_k = 3}}}) {
    const std::string path = path_of_library(library.name);
    const Problem problem = testing::toy_problem(kBf16, 2, 8);
    for (const bool in_worker : {false, true}) {
      const Backend old =
          in_worker ? open_in_worker(path, "old", {.timeout_seconds = 20, .program = ASSAY_PROGRAM}) : open_in_process(path, "old");
      const CallResult result = old.call({"toy", "toy.copy", "copy", &problem, 1});
      EXPECT_EQ(result.status, CallStatus::kOk) << result.message;
      EXPECT_EQ(result.outputs.at(0).bytes, problem.tensors[0].bytes);
      EXPECT_EQ(result.said, library.said) << library.name;
      EXPECT_FALSE(old.library.honours_schedule_seed) << "what it does not declare";
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
