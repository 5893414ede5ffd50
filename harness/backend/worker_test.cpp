// What a kernel does to its process ends there.
#include "harness/backend/worker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cfenv>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "harness/backend/library.h"
#include "harness/testing/libraries.h"
#include "harness/testing/toy_op.h"
#include "harness/text/error.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using testing::path_of_library;

const std::string kToy = path_of_library("toy_library");

Backend worker(double timeout_seconds = 20) {
  return open_in_worker(kToy, "toy", {.timeout_seconds = timeout_seconds, .program = ASSAY_PROGRAM});
}

CallResult call(const Backend& backend, const std::string& kernel, const Problem& problem) {
  return backend.call({"toy", "toy.copy", kernel, &problem, 1});
}

CallResult call(const Backend& backend, const std::string& kernel) {
  return call(backend, kernel, testing::toy_problem(kBf16, 2, 8));
}

bool is_well(const Backend& backend) {
  const Problem problem = testing::toy_problem(kBf16, 2, 8);
  const CallResult result = call(backend, "copy", problem);
  return result.status == CallStatus::kOk && result.outputs.at(0).bytes == problem.tensors[0].bytes;
}

/// A program that answers in its own way: one byte, and another beginning.
TEST(Worker, AProgramOfAnotherBuildIsToldSo) {
  const std::string program = ::testing::TempDir() + "assay_other_build_" + std::to_string(::getpid());
  for (const auto& [bytes, why] : {std::pair(R"(\001\0\0\0\0\0\0\0\0)", "the message ends early"),
                                   std::pair(R"(\005\0\0\0\0\0\0\0\0\0\0\0\0)", "it begins otherwise")}) {
    std::ofstream(program) << "#!/bin/sh\nprintf '" << bytes << "' >&3\n";
    std::filesystem::permissions(program, std::filesystem::perms::owner_all);
    try {
      (void)open_in_worker(kToy, "toy", {.timeout_seconds = 20, .program = program});
      ADD_FAILURE() << why;
    } catch (const LibraryError& error) {
      EXPECT_THAT(error.what(), HasSubstr("the first message of worker " + program + " is none (" + why +
                                          "): a program of another build than this one?"));
    }
  }
  std::filesystem::remove(program);
}

TEST(Worker, GivesTheSameResultsAsTheProcessItself) {
  const Backend there = worker(), here = open_in_process(kToy, "toy");
  EXPECT_EQ(there.library.kernels.size(), here.library.kernels.size());
  const Problem problem = testing::toy_problem(kE4M3Fn, 3, 100);
  for (const std::string kernel : {"copy", "unwritten", "off_by_one", "follows_seed", "overruns", "underruns", "changes_input",
                                   "fails", "refuses", "unknown_status", "says_program", "says_algorithm"}) {
    const CallResult a = call(there, kernel, problem), b = call(here, kernel, problem);
    EXPECT_EQ(a.status, b.status) << kernel;
    EXPECT_EQ(a.message, b.message) << kernel;
    EXPECT_EQ(a.said, b.said) << kernel;
    EXPECT_EQ(a.untouched, b.untouched) << kernel;
    EXPECT_EQ(a.in_place, b.in_place) << kernel;
    ASSERT_EQ(a.outputs.size(), b.outputs.size()) << kernel;
    for (size_t i = 0; i < a.outputs.size(); ++i) EXPECT_EQ(a.outputs[i].bytes, b.outputs[i].bytes) << kernel;
  }
}

TEST(Worker, ACrashNamesTheSignalAndTheNextCallWorks) {
  const Backend backend = worker();
  EXPECT_EQ(call(backend, "crashes").status, CallStatus::kBroken);
  EXPECT_TRUE(is_well(backend));
  EXPECT_EQ(call(backend, "crashes").message, "crashed: SIGSEGV; --in-process under a debugger shows where");
  EXPECT_THAT(call(backend, "aborts").message, StartsWith("crashed: SIGABRT"));
  EXPECT_EQ(call(backend, "exits").message, "ended its process with exit code 7");
  EXPECT_TRUE(is_well(backend));
}

TEST(InProcess, AKernelThatEndsTheProgramIsNamed) {
  const Backend here = open_in_process(kToy, "toy");
  EXPECT_EXIT(call(here, "exits"), ::testing::ExitedWithCode(kUnexpected),
              "toy_library.so: kernel 'exits' ended the program with exit\\(\\) in a call of toy, contract toy.copy");
  EXPECT_EXIT((call(here, "copy"), std::exit(5)), ::testing::ExitedWithCode(5), "^$") << "an exit outside a call is nobody's";
}

TEST(Worker, AHangEndsAfterTheTimeAndTheNextCallWorks) {
  const Backend backend = worker(0.3);
  const CallResult result = call(backend, "hangs");
  EXPECT_EQ(result.status, CallStatus::kBroken);
  EXPECT_EQ(result.message, "hung: no answer within 0.3 s");
  EXPECT_TRUE(is_well(backend));
}

TEST(Worker, AnExceptionOutOfTheLibraryIsBroken) {
  const Backend backend = worker();
  EXPECT_EQ(call(backend, "throws").message, "the library threw an exception: thrown on purpose");
  EXPECT_TRUE(is_well(backend));
}

TEST(Worker, WhatAKernelPrintsDoesNotReachStandardOutput) {
  const Backend backend = worker();
  ::testing::internal::CaptureStdout();
  call(backend, "prints");
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "");
}

TEST(Worker, SharedMemoryGrowsWithTheProblem) {
  const Backend backend = worker();
  for (const int64_t n : {1, 100000, 10, 3000000}) {
    const Problem problem = testing::toy_problem(kF32, 1, n);
    EXPECT_EQ(call(backend, "copy", problem).outputs.at(0).bytes, problem.tensors[0].bytes) << n;
  }
}

std::string open_error(const std::string& path, bool in_worker, double timeout_seconds = 20) {
  try {
    in_worker ? open_in_worker(path, path, {.timeout_seconds = timeout_seconds, .program = ASSAY_PROGRAM})
              : open_in_process(path, path);
  } catch (const LibraryError& error) {
    return error.what();
  }
  return "no error";
}

TEST(OpenLibrary, WhatCannotBeUsedIsSaidInOneLine) {
  for (const bool in_worker : {false, true}) {
    EXPECT_EQ(open_error("no/such.so", in_worker), "no/such.so: no such file");
    EXPECT_EQ(open_error(path_of_library("no_symbol"), in_worker),
              path_of_library("no_symbol") + ": no symbol assay_get_library; see assay/abi.h");
    EXPECT_THAT(open_error("/proc/self/status", in_worker), HasSubstr("cannot be loaded"));
  }
}

TEST(OpenLibrary, ALibraryThatDiesWhileLoadingDoesNotTakeUsAlong) {
  EXPECT_EQ(open_error(path_of_library("dies_on_load"), true),
            path_of_library("dies_on_load") + ": crashed: SIGABRT; --in-process under a debugger shows where, while it was loaded");
}

TEST(OpenLibrary, ALibraryThatHangsWhileLoadingIsGivenUp) {
  EXPECT_EQ(open_error(path_of_library("hangs_on_load"), true, 0.3), path_of_library("hangs_on_load") + ": not loaded within 0.3 s");
}

TEST(OpenLibrary, AChangedRoundingModeIsNotedAndPutBack) {
  const std::string path = path_of_library("rounds_on_load");
  for (const bool in_worker : {false, true}) {
    const Backend backend =
        in_worker ? open_in_worker(path, path, {.timeout_seconds = 20, .program = ASSAY_PROGRAM}) : open_in_process(path, path);
    EXPECT_EQ(std::fegetround(), FE_TONEAREST);
    EXPECT_THAT(
        backend.library.notes,
        ElementsAre("loading the library changed the floating-point environment, which was restored: the thread rounds upward"));
  }
}

TEST(OpenLibrary, AMissingDeviceIsNoBrokenLibrary) {
  const std::string path = path_of_library("no_device");
  for (const bool in_worker : {false, true}) {
    try {
      in_worker ? open_in_worker(path, path, {.timeout_seconds = 20, .program = ASSAY_PROGRAM}) : open_in_process(path, path);
      FAIL();
    } catch (const NoDeviceError& error) {
      EXPECT_EQ(error.what(), path + ": no device to run on: no such card");
    }
  }
}

}  // namespace
}  // namespace assay
