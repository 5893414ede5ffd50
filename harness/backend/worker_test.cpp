// Tests workers: their messages, their results, and how they end.
#include "harness/backend/worker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cfenv>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "harness/backend/crash_report.h"
#include "harness/backend/library.h"
#include "harness/backend/throw_place.h"
#include "harness/backend/worker_messages.h"
#include "harness/backend/worker_process.h"
#include "harness/testing/program.h"
#include "harness/testing/toy_op.h"
#include "harness/text/messages.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;
using testing::path_of_library;

// Messages of a worker are not trusted: a kernel may have written them.

struct Sockets {
  int ends[2];
  Sockets() { EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0); }
  ~Sockets() {
    ::close(ends[0]);
    ::close(ends[1]);
  }
  void write(uint64_t length) const { EXPECT_EQ(::write(ends[0], &length, sizeof length), 8); }
};

TEST(Wire, ALongMessageArrivesWhole) {
  const Sockets sockets;
  const std::string sent(1'000'003, 'x');
  std::thread other([&] { EXPECT_TRUE(send_message(sockets.ends[0], sent)); });
  std::string got;
  EXPECT_EQ(receive_message(sockets.ends[1], 10, got), Received::kMessage);
  other.join();
  EXPECT_EQ(got, sent);
}

TEST(Wire, ALengthAloneTakesNoMemory) {
  const Sockets sockets;
  std::string got;
  sockets.write(uint64_t{3} << 30);
  EXPECT_EQ(receive_message(sockets.ends[1], 10, got), Received::kTooLong);
  sockets.write(kLongestMessage);
  EXPECT_EQ(receive_message(sockets.ends[1], 0.05, got), Received::kTimeout);
  EXPECT_LT(got.capacity(), size_t{1} << 20) << "no memory for bytes that did not arrive";
}

TEST(Wire, GivesUpWhenToldTo) {
  const Sockets sockets;
  std::string got;
  int asked = 0;
  EXPECT_EQ(receive_message(sockets.ends[1], 60, got, [&] { return ++asked == 3; }), Received::kGivenUp);
  EXPECT_EQ(receive_message(sockets.ends[1], -1, got, [&] { return ++asked == 6; }), Received::kGivenUp);
  EXPECT_EQ(receive_message(sockets.ends[1], 0.12, got, [] { return false; }), Received::kTimeout);
  EXPECT_TRUE(send_message(sockets.ends[0], "here"));
  EXPECT_EQ(receive_message(sockets.ends[1], 10, got, [] { return false; }), Received::kMessage);
  EXPECT_EQ(got, "here");
}

TEST(Wire, CountsBeyondTheMessageAreRefused) {
  for (const uint64_t count : {uint64_t{2}, uint64_t{1} << 61, ~uint64_t{0}}) {
    MessageWriter out;
    out.number(count);
    out.number<int64_t>(1);
    EXPECT_THROW(MessageReader(out.bytes()).numbers(), std::runtime_error) << count;
    MessageReader in(out.bytes());
    if (count > 8) {
      EXPECT_THROW(in.text(), std::runtime_error) << count;
    }
  }
}

/// The error of unpack_result() for a result with this status, this number of outputs, and a range of unwritten bytes that ends
/// at `end`. The problem has one output, of 32 bytes.
std::string error_of(uint8_t status, uint64_t outputs, int64_t end, uint8_t order = 0) {
  const Problem problem = testing::toy_problem(kBf16, 2, 8);
  SharedMemory memory;
  const std::vector<std::byte> zeros(4096);
  memory.write(0, zeros.data(), zeros.size());
  MessageWriter out;
  out.number(status);
  out.text("");  // message
  out.text("");  // undefined operations
  out.text("");  // fields of the algorithm: words, split_k, promote, order
  out.number<int32_t>(0);
  out.number<int32_t>(0);
  out.number<uint8_t>(order);
  out.number(0.0);
  out.number<uint8_t>(1);
  out.number<uint8_t>(0);
  out.number(outputs);
  out.numbers({0, end});
  out.number<uint8_t>(0);
  try {
    unpack_result(out.bytes(), problem, memory);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

TEST(Wire, TheEndOfTheOtherProcessIsSeenThoughTheSocketStaysOpen) {
  Sockets sockets;
  int end[2];
  ASSERT_EQ(::pipe(end), 0);
  ::close(end[1]);  // readable from now on, like the descriptor of an ended process
  std::string bytes;
  EXPECT_EQ(receive_message(sockets.ends[0], 60, bytes, {}, end[0]), Received::kClosed);
  ASSERT_TRUE(send_message(sockets.ends[1], "said before it ended"));
  EXPECT_EQ(receive_message(sockets.ends[0], 60, bytes, {}, end[0]), Received::kMessage);
  EXPECT_EQ(bytes, "said before it ended");
  ::close(end[0]);
}

TEST(Crossing, AnAnswerIsValidated) {
  EXPECT_EQ(error_of(0, 1, 2), "");
  EXPECT_EQ(error_of(99, 1, 2), "status 99 does not exist");
  EXPECT_EQ(error_of(0, 0, 2), "0 outputs come with status 0") << "no pass without outputs";
  EXPECT_EQ(error_of(0, 7, 2), "7 outputs come with status 0");
  EXPECT_EQ(error_of(2, 1, 2), "1 outputs come with status 2");
  EXPECT_EQ(error_of(4, 1, 2), "") << "a broken call may have outputs, for the diagnosis";
  EXPECT_EQ(error_of(4, 7, 2), "7 outputs come with status 4");
  EXPECT_EQ(error_of(0, 1, 33), "invalid range of bytes: ranges must ascend, be nonempty and lie within the tensor");
  EXPECT_EQ(error_of(0, 1, -1), "invalid range of bytes: ranges must ascend, be nonempty and lie within the tensor");
  EXPECT_EQ(error_of(0, 1, 32), "");
  EXPECT_EQ(error_of(0, 1, 32, 2), "");
  EXPECT_EQ(error_of(0, 1, 32, 3), "order 3 does not exist");
}

// What a kernel does to its worker process does not affect other processes.

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

/// A program that breaks the protocol: its first message is a single byte, or has another protocol number.
TEST(Worker, AProgramOfAnotherBuildIsToldSo) {
  const std::string program = ::testing::TempDir() + "assay_other_build_" + std::to_string(::getpid());
  for (const auto& [bytes, why] : {std::pair(R"(\001\0\0\0\0\0\0\0\0)", "the message ends early"),
                                   std::pair(R"(\005\0\0\0\0\0\0\0\0\0\0\0\0)", "it begins with a wrong protocol number")}) {
    std::ofstream(program) << "#!/bin/sh\nprintf '" << bytes << "' >&3\n";
    std::filesystem::permissions(program, std::filesystem::perms::owner_all);
    try {
      (void)open_in_worker(kToy, "toy", {.timeout_seconds = 20, .program = program});
      ADD_FAILURE() << why;
    } catch (const LibraryError& error) {
      EXPECT_THAT(error.what(), HasSubstr("worker " + program + " sent an invalid first message (" + why +
                                          "); was the program built from other sources?"));
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
  EXPECT_EXIT((call(here, "copy"), std::exit(5)), ::testing::ExitedWithCode(5), "^$")
      << "an exit outside a call has no kernel to blame";
}

TEST(Worker, AHangEndsAfterTheTimeAndTheNextCallWorks) {
  const Backend backend = worker(0.3);
  const CallResult result = call(backend, "hangs");
  EXPECT_EQ(result.status, CallStatus::kBroken);
  EXPECT_THAT(result.message, StartsWith("hung: no answer within 0.3 s"));
  EXPECT_TRUE(is_well(backend));
}

TEST(Worker, AnExceptionOutOfTheLibraryIsBroken) {
  const Backend backend = worker();
  EXPECT_THAT(call(backend, "throws").message, StartsWith("the library threw an exception: thrown on purpose"));
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
  EXPECT_THAT(open_error(path_of_library("dies_on_load"), true),
              AllOf(StartsWith(path_of_library("dies_on_load") + ": crashed: SIGABRT"),
                    HasSubstr("; --in-process under a debugger shows where, while the library was loaded")));
}

TEST(OpenLibrary, ALibraryThatHangsWhileLoadingIsGivenUp) {
  EXPECT_EQ(open_error(path_of_library("hangs_on_load"), true, 0.3),
            path_of_library("hangs_on_load") + ": not loaded within 0.3 s");
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

// How a worker process ends, and that its end affects no other process.

const std::string kToyPath = testing::path_of_library("toy_library");

Backend toy_worker(double timeout_seconds = 20, uint64_t memory_bytes = 0) {
  return open_in_worker(kToyPath, "toy", {timeout_seconds, ASSAY_PROGRAM, memory_bytes});
}

CallResult call_rows(const Backend& backend, const std::string& kernel, int64_t rows = 2) {
  const Problem problem = testing::toy_problem(kBf16, rows, 8);
  return backend.call({"toy", "toy.copy", kernel, &problem, 1});
}

TEST(WorkerEnds, AThreadThatStartedAWorkerMayEndBeforeIt) {
  const Backend backend = toy_worker();
  std::thread([&] {
    EXPECT_EQ(call_rows(backend, "crashes_if_tall", 4).status, CallStatus::kBroken);
    EXPECT_EQ(call_rows(backend, "crashes_if_tall", 3).status, CallStatus::kOk) << "in a worker that this thread started";
  }).join();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const CallResult result = call_rows(backend, "crashes_if_tall", 3);
  EXPECT_EQ(result.status, CallStatus::kOk) << result.message;
}

int process_of(const Backend& backend, const std::string& other_kernel = "") {
  if (!other_kernel.empty()) call_rows(backend, other_kernel);
  const CallResult result = call_rows(backend, "process_id");
  return int(result.outputs.at(0).code(0) & 0xffu) << 8 | int(result.outputs.at(0).code(1) & 0xffu);
}

TEST(WorkerEnds, EachKernelHasItsOwnProcess) {
  const Backend backend = toy_worker();
  const int first = process_of(backend);
  EXPECT_EQ(process_of(backend), first) << "kept for its next case";
  EXPECT_EQ(process_of(backend, "crashes"), first) << "the crash ended another kernel's process";
  EXPECT_EQ(process_of(backend, "copy"), first);
  EXPECT_THAT(call_rows(backend, "remembers").outputs.at(0).code(2) ^ call_rows(backend, "remembers").outputs.at(0).code(2), 3u)
      << "the kernel's own state remains, so a kernel that depends on it is detected";
}

TEST(WorkerEnds, ManyKernelsDoNotKeepManyProcesses) {
  const Backend backend = toy_worker();
  std::vector<std::string> kernels;
  for (const KernelOffer& kernel : backend.library.kernels)
    if (kernel.name != "hangs" && kernel.name != "closes_files" && kernel.name != "takes_memory" &&
        kernel.name != "leaves_daemon")
      kernels.push_back(kernel.name);
  ASSERT_GT(kernels.size(), 20u);
  for (const std::string& kernel : kernels) call_rows(backend, kernel);
  EXPECT_EQ(call_rows(backend, "copy").status, CallStatus::kOk) << "in a new process, since the first has ended";
}

TEST(WorkerEnds, ATinyCallTakesLessThanAMillisecond) {
  const Backend backend = toy_worker();
  call_rows(backend, "copy");
  double best = 1;
  for (int i = 0; i < 50; ++i) {
    const auto start = std::chrono::steady_clock::now();
    call_rows(backend, "copy");
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  EXPECT_LT(best, 1e-3);
}

/// Rows 2^30 + 8 elements apart: with 32-bit offsets, row 2 would begin 2^31 - 16 elements before the tensor, where no memory is.
TEST(WorkerEnds, AKernelThatTouchesAddressesBetweenFarRowsIsBroken) {
  const Backend backend = toy_worker();
  Problem problem = testing::toy_problem(kBf16, 5, 64);
  problem.tensors[0].spec.far = (int64_t{1} << 30) + 8;
  EXPECT_EQ(backend.call({"toy", "toy.copy", "copies_rows", &problem, 1}).outputs.at(0).bytes, problem.tensors[0].bytes);
  const CallResult narrow = backend.call({"toy", "toy.copy", "copies_rows_by_32_bits", &problem, 1});
  EXPECT_EQ(narrow.status, CallStatus::kBroken);
  const std::string at = "crashed: SIGSEGV at address 0x[0-9a-f]+: [a-z ]+ ";
  EXPECT_THAT(narrow.message, MatchesRegex(at + "4294967264 bytes before the start of 'x'.*"));
  const CallResult behind = backend.call({"toy", "toy.copy", "reads_between_rows", &problem, 1});
  EXPECT_EQ(behind.status, CallStatus::kBroken);
  EXPECT_THAT(behind.message, MatchesRegex(at + "1000000 bytes behind row 3 of 'x'.*"));
}

TEST(WorkerEnds, FarAccessesNameTensorAndDistance) {
  const Backend backend = toy_worker();
  for (const auto& [kernel, words] : {std::pair("writes_far_behind", ": [a-z ]+ 60000 bytes behind the end of 'y', in .*"),
                                      std::pair("writes_far_before", ": [a-z ]+ 60000 bytes before the start of 'y', in .*"),
                                      std::pair("reads_far_behind", ": [a-z ]+ 60000 bytes behind the end of 'x', in .*")}) {
    const CallResult result = call_rows(backend, kernel);
    EXPECT_EQ(result.status, CallStatus::kBroken) << kernel;
    EXPECT_THAT(result.message, MatchesRegex(std::string("crashed: SIGSEGV at address 0x[0-9a-f]+") + words)) << kernel;
    EXPECT_THAT(result.message, HasSubstr("libassay_testing_toy_library.so+0x")) << kernel;
    EXPECT_THAT(result.message, HasSubstr("--in-process under a debugger")) << kernel;
  }
}

/// A write into a guard zone is found after the call, a read from it is not. In inaccessible memory, a write and a read crash.
TEST(WorkerEnds, WithNothingBesideATensorAnAccessThereCrashes) {
  const Backend backend = toy_worker();
  const Problem problem = testing::toy_problem(kBf16, 2, 8);
  const auto call = [&](const char* kernel, Beside beside) {
    CallRequest request{"toy", "toy.copy", kernel, &problem, 1};
    request.beside = beside;
    return backend.call(request);
  };
  EXPECT_THAT(call("overruns", Beside::kNothingBehind).message, HasSubstr(" 0 bytes behind the end of 'y'"));
  EXPECT_THAT(call("underruns", Beside::kNothingBefore).message, HasSubstr(" 2 bytes before the start of 'y'"));
  EXPECT_EQ(call("reads_beside", Beside::kZones).status, CallStatus::kOk);
  EXPECT_THAT(call("reads_beside", Beside::kNothingBefore).message, HasSubstr(" 2 bytes before the start of 'x'"));
  EXPECT_EQ(call("reads_beyond_strides", Beside::kZones).outputs.at(0).bytes.at(0), std::byte{0});
  EXPECT_THAT(call("reads_beyond_strides", Beside::kNothingBehind).message,
              HasSubstr(" 0 bytes behind the end of 'strides of x'"));
  for (const Beside beside : {Beside::kZones, Beside::kNothingBefore, Beside::kNothingBehind, Beside::kNothingExactlyBehind})
    EXPECT_EQ(call("copy", beside).outputs.at(0).bytes, problem.tensors[0].bytes);
}

TEST(WorkerEnds, AnAccessToAClosedTensorCrashes) {
  const Backend backend = toy_worker();
  const Problem problem = testing::toy_problem(kBf16, 2, 8);
  CallRequest request{"toy", "toy.copy", "copy", &problem, 1};
  request.closed = {0};
  EXPECT_THAT(backend.call(request).message, HasSubstr("read inside 'x'"));
  request.closed = {};
  EXPECT_EQ(backend.call(request).outputs.at(0).bytes, problem.tensors[0].bytes);
}

/// The diagnosis of a case makes calls while other cases run. If their messages were mixed, a case would get the outputs of
/// another.
TEST(Worker, CallsFromSeveralThreadsTakeTurns) {
  const Backend backend = toy_worker();
  const auto call_often = [&](std::byte value, int& wrong) {
    Problem problem = testing::toy_problem(kBf16, 64, 512);
    std::fill(problem.tensors[0].bytes.begin(), problem.tensors[0].bytes.end(), value);
    for (int i = 0; i < 50; ++i) {
      const CallResult result = backend.call({"toy", "toy.copy", "copy", &problem, 1});
      wrong += int(result.status != CallStatus::kOk || result.outputs.at(0).bytes != problem.tensors[0].bytes);
    }
  };
  int wrong_of_ones = 0, wrong_of_twos = 0;
  std::thread other([&] { call_often(std::byte{1}, wrong_of_ones); });
  call_often(std::byte{2}, wrong_of_twos);
  other.join();
  EXPECT_EQ(wrong_of_ones, 0);
  EXPECT_EQ(wrong_of_twos, 0);
}

TEST(Worker, StacksAreFilledIfTheRequestSaysSo) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers lay out stack frames in another way";
#endif
  const Backend backend = toy_worker();
  const Problem problem = testing::toy_problem(kBf16, 2, 8);
  const auto first_byte = [&](const char* kernel, uint8_t fill) {
    CallRequest request{"toy", "toy.copy", kernel, &problem, 1};
    request.stack_fill = fill;
    return backend.call(request).outputs.at(0).bytes.at(0);
  };
  EXPECT_EQ(first_byte("reads_unset", 0x3c), first_byte("reads_unset", 0x3c));
  EXPECT_NE(first_byte("reads_unset", 0x3c), first_byte("reads_unset", 0xbd));
  EXPECT_EQ(first_byte("copy", 0xbd), problem.tensors[0].bytes.at(0));
}

TEST(Worker, AnAddressInAMessageIsThatOfATensorsElement) {
  const Backend backend = toy_worker();
  EXPECT_EQ(call_rows(backend, "refuses_address").message, "a load at y[1, 2] is none");
  EXPECT_EQ(call_rows(backend, "refuses_far_address").message, "a load at an address far from every tensor is none");
  EXPECT_EQ(call_rows(backend, "fails").message, "n must be  a multiple of 7") << "a message without an address is unchanged";
}

TEST(WorkerEnds, AJumpToNoCodeIsSaid) {
  EXPECT_THAT(call_rows(toy_worker(), "jumps_nowhere").message, HasSubstr("at program counter 0x0, which holds no code"));
  EXPECT_THAT(call_rows(toy_worker(), "writes_far_behind").message, Not(HasSubstr("program counter")));
}

TEST(WorkerEnds, AnAddressThatNoMemoryHasIsNotCalledANullPointer) {
  const Backend backend = toy_worker();
#if defined(__x86_64__)
  EXPECT_THAT(
      call_rows(backend, "reads_garbage").message,
      MatchesRegex("crashed: SIGSEGV: used an address that no memory can have: a pointer is garbage, or an index or stride .*, in .*"));
#endif
  EXPECT_THAT(call_rows(backend, "reads_an_empty_array").message, HasSubstr(" through a null pointer, 8 bytes behind it: "));
}

#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST(InProcess, ThePlaceOfAThrowFollowsTheTextOfTheException) {
  const std::string text = "the library threw an exception: thrown on purpose",
                    place = ", thrown in libassay_testing_toy_library.so+0x";
  const Backend here = open_in_process(kToyPath, "toy");
  EXPECT_EQ(call_rows(here, "throws").message, text);
  answer_where_you_are(kToyPath);
  EXPECT_THAT(call_rows(here, "throws").message, StartsWith(text + place));
  EXPECT_EQ(call_rows(here, "fails").message, "n must be  a multiple of 7") << "no exception has this text";
  answer_where_you_are("");
  EXPECT_EQ(with_lines_of_throw(text + place + "11 <- +0x7", "no_such_library.so"), text);
  EXPECT_EQ(with_lines_of_throw(text, kToyPath), text);
}

TEST(WorkerEnds, ADivisionByZeroIsSaid) {
  EXPECT_THAT(call_rows(toy_worker(), "divides_by_zero").message, HasSubstr(": an integer is divided by 0, or "));
}

TEST(Worker, TellsWhatChecksOfTheLibraryReport) {
  const Backend backend = toy_worker();
  const CallResult result = call_rows(backend, "reports_an_index");
  EXPECT_EQ(result.status, CallStatus::kOk);
  EXPECT_EQ(result.undefined,
            "outside: index -1 of an array of type 'float [8]' (at mine.h:7); "
            "outside: indices from 8 to 9 of an array of type 'float [8]' (at mine.h:12)");
  EXPECT_EQ(call_rows(backend, "copy").undefined, "") << "every call begins anew";
  EXPECT_THAT(call_rows(backend, "reports_an_index_and_aborts").message,
              MatchesRegex("crashed: SIGABRT.*; before that: outside: index 8 of .* \\(at mine.h:12\\); --in-process .*"));
}
#endif

TEST(Worker, SourceLinesComeBehindPlacesOfTheLibrary) {
  const std::string place = "crashed: SIGSEGV, in libassay_testing_toy_library.so+0x", end = "; the end";
  EXPECT_EQ(with_source_lines(place + "0" + end, "no_such_library.so"), place + "0" + end);
  EXPECT_EQ(with_source_lines("in libother.so+0x11", kToyPath), "in libother.so+0x11");
  const std::string message = call_rows(toy_worker(), "writes_far_behind").message;
  if (std::system("addr2line --version >/dev/null 2>&1") != 0) GTEST_SKIP() << "no addr2line";
  EXPECT_THAT(message, MatchesRegex(".*toy_library.so\\+0x[0-9a-f]+.* \\(.*(function|in) .*\\).*debugger shows where"));
}

TEST(InProcess, AFarWriteNamesTheKernelBeforeTheProgramEnds) {
  const Backend here = open_in_process(kToyPath, "toy");
  EXPECT_DEATH(call_rows(here, "writes_far_behind"),
               "kernel 'writes_far_behind' in a call of toy, .* bytes behind the end of 'y'");
}

TEST(WorkerEnds, AKernelThatHangsEverywhereIsCalledNoMore) {
  const Backend backend = toy_worker(0.4);
  for (int i = 0; i < 3; ++i)
    EXPECT_THAT(call_rows(backend, "hangs").message, StartsWith("hung: no answer within 0.4 s; the kernel was in lib"));
  const auto start = std::chrono::steady_clock::now();
  const CallResult fourth = call_rows(backend, "hangs");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(400));
  EXPECT_EQ(fourth.status, CallStatus::kNotCalled);
  EXPECT_THAT(fourth.message, StartsWith("not called: this kernel hung in 3 earlier calls"));
  EXPECT_EQ(call_rows(backend, "copy").status, CallStatus::kOk) << "other kernels are still called";
}

TEST(WorkerEnds, AProcessThatAKillDoesNotEndIsNotWaitedFor) {
  const Backend backend = toy_worker(0.5);
  const CallResult hung = call_rows(backend, "hangs_in_driver");
  if (hung.message == "no tracer") GTEST_SKIP() << "this machine lets no process trace another";
  EXPECT_THAT(hung.message, StartsWith("hung: no answer within 0.5 s, and the process does not end when it is killed"));
  EXPECT_EQ(call_rows(backend, "copy").status, CallStatus::kOk) << "in a new process";
}

TEST(WorkerEnds, AKernelThatClosesTheSocketAndGoesOnIsNotWaitedFor) {
  EXPECT_EQ(call_rows(toy_worker(20), "closes_files").message, "closed the worker's socket and continued");
}

TEST(WorkerEnds, BytesOnTheSocketAreNoAnswer) {
  const Backend backend = toy_worker();
  EXPECT_EQ(call_rows(backend, "scribbles_on_socket").message, "wrote into the worker's socket");
  EXPECT_EQ(call_rows(backend, "scribbles_on_socket").status, CallStatus::kBroken) << "in a new process";
}

TEST(WorkerEnds, AKernelThatResizesTheMemoryOfTensorsHarmsNobody) {
  const Backend backend = toy_worker();
  EXPECT_EQ(call_rows(backend, "shrinks_files").status, CallStatus::kOk);
  EXPECT_EQ(call_rows(backend, "grows_files").status, CallStatus::kOk);
  EXPECT_EQ(call_rows(backend, "copy", 300000).status, CallStatus::kOk) << "and larger calls work after it";
}

bool is_there(pid_t process) { return process > 0 && ::kill(process, 0) == 0; }

/// Whether a process ends within ten seconds.
bool ends(pid_t process) {
  for (int i = 0; i < 1000 && is_there(process); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  return !is_there(process);
}

/// The process id that leave_child() wrote.
pid_t child_of(const CallResult& result) {
  pid_t child = 0;
  for (size_t i = 0; i < sizeof child; ++i) child |= pid_t(result.outputs.at(0).bytes[2 * i]) << (8 * i);
  return child;
}

TEST(WorkerEnds, AChildOfAKernelEndsWithItsWorker) {
  pid_t child = 0;
  {
    const Backend backend = toy_worker();
    child = child_of(call_rows(backend, "leaves_child"));
    EXPECT_TRUE(is_there(child));
  }
  EXPECT_TRUE(ends(child)) << child;
}

TEST(WorkerEnds, ACrashIsACrashWhileAChildHoldsTheSocket) {
  const Backend backend = toy_worker(60);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THAT(call_rows(backend, "leaves_child_and_crashes").message, StartsWith("crashed: SIGABRT"));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30)) << "the call waited for the time limit";
}

TEST(WorkerEnds, SignalsOfAKernelsGroupReachItselfAlone) {
  EXPECT_THAT(call_rows(toy_worker(), "signals_its_group").message, StartsWith("crashed: SIGTERM"));
}

/// A signal handler that is slow, as if its thread had to wait for a core.
void note_slowly(int signal, siginfo_t* info, void*) {
  ::usleep(50'000);
  note_signal_of(worker_of(info->si_pid), signal);
}

/// With sigaction(), the handler would run in the idle first thread, and the call would return before the signal is noted.
TEST(WorkerEnds, ASignalToTheCallerBelongsToTheCall) {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGURG);
  receive_signals(signals, note_slowly);
  const Backend backend = toy_worker();
  std::thread([&] {
    for (int i = 0; i < 5; ++i) {
      EXPECT_EQ(call_rows(backend, "signals_its_caller").message, "sent SIGURG to the process that called it") << i;
      EXPECT_EQ(call_rows(backend, "copy").status, CallStatus::kOk) << i;
    }
  }).join();
}

TEST(WorkerEnds, ASignalFromOutsideIsNoVerdict) {
  const Backend backend = toy_worker();
  const int worker = process_of(backend);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::kill(worker, signal);
  EXPECT_EQ(process_of(backend), worker) << "the worker continues";
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // sanitizers end the process when an allocation fails
TEST(WorkerEnds, MemoryIsLimited) {
  EXPECT_EQ(call_rows(toy_worker(20, uint64_t{512} << 20), "takes_memory").message, "was stopped");
  EXPECT_EQ(call_rows(toy_worker(20, uint64_t{16} << 30), "takes_memory").message, "took 4 GiB") << "it was stopped";
}
#endif

TEST(WorkerEnds, AFaultOfTheCallIsItsOwn) {
  const Backend backend = toy_worker();
  const CallResult faulted = call_rows(backend, "faults"), lost = call_rows(backend, "loses_device");
  EXPECT_EQ(faulted.status, CallStatus::kBroken);
  EXPECT_EQ(faulted.message, "the device accepts no more calls: illegal address");
  EXPECT_EQ(lost.status, CallStatus::kBroken) << "lost twice, in processes that had the device before";
  EXPECT_THAT(lost.message, StartsWith("loses the device: fell off the bus; the same happened in another process"));
}

}  // namespace
}  // namespace assay
