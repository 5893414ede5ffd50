// How a worker process ends, and that its end affects no other process.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "harness/backend/worker.h"
#include "harness/testing/libraries.h"
#include "harness/testing/toy_op.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

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
  EXPECT_EQ(process_of(backend, "crashes"), first) << "another kernel's crash is not ours";
  EXPECT_EQ(process_of(backend, "copy"), first);
  EXPECT_THAT(call_rows(backend, "remembers").outputs.at(0).code(2) ^ call_rows(backend, "remembers").outputs.at(0).code(2), 3u)
      << "its own state stays, so that it shows";
}

TEST(WorkerEnds, ManyKernelsDoNotKeepManyProcesses) {
  const Backend backend = toy_worker();
  std::vector<std::string> kernels;
  for (const KernelOffer& kernel : backend.library.kernels)
    if (kernel.name != "hangs" && kernel.name != "closes_files" && kernel.name != "takes_memory" && kernel.name != "leaves_daemon") kernels.push_back(kernel.name);
  ASSERT_GT(kernels.size(), 20u);
  for (const std::string& kernel : kernels) call_rows(backend, kernel);
  EXPECT_EQ(call_rows(backend, "copy").status, CallStatus::kOk) << "in a new process, for the first has ended";
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

TEST(InProcess, AFarWriteNamesTheKernelBeforeTheProgramEnds) {
  const Backend here = open_in_process(kToyPath, "toy");
  EXPECT_DEATH(call_rows(here, "writes_far_behind"),
               "kernel 'writes_far_behind' in a call of toy, .* bytes behind the end of 'y'");
}

TEST(WorkerEnds, AKernelThatHangsEverywhereIsCalledNoMore) {
  const Backend backend = toy_worker(0.1);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(call_rows(backend, "hangs").message, "hung: no answer within 0.1 s");
  const auto start = std::chrono::steady_clock::now();
  const CallResult fourth = call_rows(backend, "hangs");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(50));
  EXPECT_EQ(fourth.status, CallStatus::kNotCalled);
  EXPECT_THAT(fourth.message, StartsWith("not called: this kernel hung in 3 calls before"));
  EXPECT_EQ(call_rows(backend, "copy").status, CallStatus::kOk) << "another kernel is not punished";
}

TEST(WorkerEnds, AProcessThatAKillDoesNotEndIsNotWaitedFor) {
  const Backend backend = toy_worker(0.5);
  const CallResult hung = call_rows(backend, "hangs_in_driver");
  if (hung.message == "no tracer") GTEST_SKIP() << "this machine lets no process trace another";
  EXPECT_EQ(hung.message, "hung: no answer within 0.5 s, and its process does not end when it is killed");
  EXPECT_EQ(call_rows(backend, "copy").status, CallStatus::kOk) << "in a new process";
}

TEST(WorkerEnds, AKernelThatClosesTheSocketAndGoesOnIsNotWaitedFor) {
  EXPECT_EQ(call_rows(toy_worker(20), "closes_files").message, "closed the worker's socket and went on");
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
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30)) << "the time limit was waited for";
}

TEST(WorkerEnds, SignalsOfAKernelsGroupReachItselfAlone) {
  EXPECT_THAT(call_rows(toy_worker(), "signals_its_group").message, StartsWith("crashed: SIGTERM"));
}

TEST(WorkerEnds, ASignalFromOutsideIsNoVerdict) {
  const Backend backend = toy_worker();
  const int worker = process_of(backend);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::kill(worker, signal);
  EXPECT_EQ(process_of(backend), worker) << "it goes on";
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // whose allocators end the process instead
TEST(WorkerEnds, MemoryIsLimited) {
  EXPECT_EQ(call_rows(toy_worker(20, uint64_t{512} << 20), "takes_memory").message, "was stopped");
  EXPECT_EQ(call_rows(toy_worker(20, uint64_t{16} << 30), "takes_memory").message, "took 4 GiB") << "the limit stopped it";
}
#endif

TEST(WorkerEnds, AFaultOfTheCallIsItsOwn) {
  const Backend backend = toy_worker();
  const CallResult faulted = call_rows(backend, "faults"), lost = call_rows(backend, "loses_device");
  EXPECT_EQ(faulted.status, CallStatus::kBroken);
  EXPECT_EQ(faulted.message, "made the device useless: illegal address");
  EXPECT_EQ(lost.status, CallStatus::kBroken) << "twice, in processes that had the device";
  EXPECT_THAT(lost.message, StartsWith("loses the device: fell off the bus; the same happened in another process"));
}

}  // namespace
}  // namespace assay
