// A sweep over all fp32 inputs reports wrong codes as runs, and stops when it cannot learn more.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <numeric>

#include "harness/backend/watch.h"
#include "reference/casts/cast_runs.h"
#include "reference/formats/catalogue.h"
#include "suites/cast/cast_op.h"
#include "suites/registry.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Case case_of(const std::string& contract, const std::string& inputs) {
  open_rulebook(ASSAY_SOURCE_DIR);
  Case c;
  c.op = "cast";
  c.parameters = {{"contract", contract}, {"x", "f32"}, {"fill", inputs}, {"warp", "32"}};
  return checked_case(shipped_ops().find("cast"), c);
}

std::vector<CodeRun> runs(const std::string& contract) { return runs_of(read_cast(rulebook().contracts.find(contract))); }

/// A kernel that returns given codes.
class Kernel {
 public:
  explicit Kernel(std::vector<CodeRun> runs) : runs_(std::move(runs)), outputs_(1) {}

  const std::vector<HostTensor>* operator()(const Problem& problem) {
    ++calls;
    const HostTensor& x = problem.tensors.front();
    const auto count = uint64_t(x.spec.elements());
    outputs_.front().bytes.resize(count);
    for (uint64_t first = x.code(0), i = 0; i < count;) {
      while (runs_[at_].last < first + i) ++at_;
      const uint64_t end = std::min(count, runs_[at_].last + 1 - first);
      std::memset(outputs_.front().bytes.data() + i, int(runs_[at_].code), end - i);
      i = end;
    }
    return &outputs_;
  }

  int64_t calls = 0;

 private:
  std::vector<CodeRun> runs_;
  size_t at_ = 0;
  std::vector<HostTensor> outputs_;
};

Verdict sweep(const std::string& contract, Kernel& kernel) {
  Verdict verdict;
  const SweepCalls calls{[&](const Problem& problem) { return kernel(problem); }};
  shipped_ops().find("cast").bind(case_of(contract, "all"))->judge_sweep(calls, verdict);
  return verdict;
}

/// Like sweep(), with an on-device checker that reports the inputs in the ranges `wrong`.
Verdict watched_sweep(const std::string& contract, Kernel& kernel, const std::vector<RunDifference>& wrong) {
  Verdict verdict;
  SweepCalls calls{[&](const Problem& problem) { return kernel(problem); }};
  calls.wrong = [&](const Problem& problem, uint32_t from, const std::vector<CodeStep>& steps) {
    EXPECT_EQ(steps.back().last, 0xffffffffu);
    EXPECT_TRUE(problem.tensors.front().bytes.empty());
    std::vector<int32_t> counts(size_t(problem.tensors.front().spec.elements()) / SweepCalls::kWatchedInputs);
    for (size_t i = 0; i < counts.size(); ++i)
      for (const RunDifference& d : wrong) {
        const uint64_t first = from + i * SweepCalls::kWatchedInputs, last = first + SweepCalls::kWatchedInputs - 1;
        if (d.first <= last && d.last >= first) counts[i] += int32_t(std::min(d.last, last) - std::max(d.first, first)) + 1;
      }
    return counts;
  };
  shipped_ops().find("cast").bind(case_of(contract, "all"))->judge_sweep(calls, verdict);
  return verdict;
}

TEST(Sweep, AgreesWithAKernelThatGivesEveryCode) {
  case_of("torch.e8m0@2.11", "all");
  Kernel kernel(runs("torch.e8m0@2.11"));
  const Verdict verdict = sweep("torch.e8m0@2.11", kernel);
  ASSERT_EQ(verdict.tensors.size(), 1u);
  EXPECT_TRUE(verdict.tensors.front().agrees());
  EXPECT_EQ(verdict.tensors.front().single_code, int64_t{1} << 32);
  EXPECT_TRUE(verdict.causes.empty());
}

TEST(Sweep, NamesTheRunsOfInputsThatDisagreeAndTheMistake) {
  case_of("cuda.e4m3fn_nosat", "all");
  Kernel kernel(runs("ml_dtypes.e4m3fn"));
  const TensorFinding q = sweep("cuda.e4m3fn_nosat", kernel).tensors.at(0);
  EXPECT_EQ(q.outside, 0x7fffff);
  EXPECT_EQ(q.first.at[0], 0xff80);
  EXPECT_EQ(q.first.at[1], 1);
  EXPECT_EQ(q.first.code, 0xffu);
  EXPECT_EQ(q.first.low_code, 0x7fu);
  EXPECT_THAT(q.notes, ElementsAre("ff800001 .. ffffffff = NaN .. NaN: ff = NaN, must be 7f = NaN"));
  Kernel again(runs("ml_dtypes.e4m3fn"));
  EXPECT_THAT(sweep("cuda.e4m3fn_nosat", again).causes,
              ElementsAre("explains 8388607 of 8388607 failing elements: nan: 7f/7f -> 7f/ff (keeps its sign)"));
}

TEST(Sweep, OfAWatchedDeviceLooksAtWhatIsToldToBeWrong) {
  case_of("cuda.e4m3fn_nosat", "all");
  Kernel right(runs("cuda.e4m3fn_nosat")), other(runs("ml_dtypes.e4m3fn")), other_on_the_host(runs("ml_dtypes.e4m3fn"));
  EXPECT_TRUE(watched_sweep("cuda.e4m3fn_nosat", right, {}).tensors.at(0).agrees());
  EXPECT_EQ(right.calls, 16) << "one block of each range";

  const auto wrong = differences(runs("cuda.e4m3fn_nosat"), runs("ml_dtypes.e4m3fn"));
  const Verdict watched = watched_sweep("cuda.e4m3fn_nosat", other, wrong), whole = sweep("cuda.e4m3fn_nosat", other_on_the_host);
  EXPECT_EQ(other.calls, 16 + 128) << "2^23 - 1 wrong codes lie in 128 blocks";
  EXPECT_EQ(watched.tensors.at(0).outside, whole.tensors.at(0).outside);
  EXPECT_EQ(watched.tensors.at(0).notes, whole.tensors.at(0).notes);
  EXPECT_EQ(watched.causes, whole.causes);
}

TEST(Sweep, FailsIfTheWatchAndTheHostSeeDifferentCodes) {
  case_of("cuda.e4m3fn_sat", "all");
  Kernel kernel(runs("cuda.e4m3fn_sat"));
  const Verdict verdict = watched_sweep("cuda.e4m3fn_sat", kernel, {{0x40001000, 0x40001004, 0, 0}});
  EXPECT_EQ(verdict.outcome, Outcome::kFail);
  EXPECT_THAT(verdict.message, HasSubstr("5 of the 2^16 inputs from 0x40000000 on"));
}

TEST(Sweep, EndsWhereAKernelHasLostAllOrder) {
  case_of("cuda.e4m3fn_sat", "all");
  std::vector<CodeRun> noise;
  for (uint64_t input = 0; input < (uint64_t{1} << 22); ++input) noise.push_back({input, input, uint32_t(input * 37 % 251)});
  Kernel kernel(noise);
  const Verdict verdict = sweep("cuda.e4m3fn_sat", kernel);
  EXPECT_LE(kernel.calls, 17) << "2^20 runs lie in 16 blocks of 2^16 inputs";
  EXPECT_THAT(verdict.message, HasSubstr("were not checked"));
  EXPECT_GT(verdict.tensors.at(0).outside, 1 << 20);
  EXPECT_THAT(verdict.tensors.at(0).notes.back(), HasSubstr("more runs of inputs"));
  EXPECT_THAT(verdict.causes, ElementsAre("no known cause"));
}

TEST(Sweep, EndsWithACallThatGivesNothingAndLeavesOrdinaryCasesAlone) {
  int calls = 0;
  const SweepCalls refuse{[&](const Problem&) -> const std::vector<HostTensor>* {
    ++calls;
    return nullptr;
  }};
  Verdict verdict;
  shipped_ops().find("cast").bind(case_of("cuda.e4m3fn_sat", "all"))->judge_sweep(refuse, verdict);
  EXPECT_EQ(calls, 1);
  EXPECT_TRUE(verdict.tensors.empty());
  EXPECT_FALSE(shipped_ops().find("cast").bind(case_of("cuda.e4m3fn_sat", "borders"))->is_sweep());
  EXPECT_TRUE(shipped_ops().find("cast").bind(case_of("cuda.e4m3fn_sat", "all"))->is_sweep());
  EXPECT_EQ(calls, 1);
}

// The on-device checker, run on the CPU, agrees with the reference.

constexpr uint64_t kInputs = 4 * SweepCalls::kWatchedInputs;

Problem problem() {
  const std::vector<int64_t> shape = {int64_t(kInputs) / 256, 256};
  return {{{dense("x", Role::kInput, kF32, shape), {}}, {dense("q", Role::kOutput, kE4M3Fn, shape), {}}}, {{"warp", 32.0}}};
}

std::vector<CodeRun> watched_runs(const std::string& contract) {
  open_rulebook(ASSAY_SOURCE_DIR);
  return runs_of(read_cast(rulebook().contracts.find(contract)));
}

/// How many codes the checker reports if `library` casts by contract `cast`, and it expects the codes of contract `steps_of`.
WatchedResult watched(std::shared_ptr<const assay_library> library, const std::string& cast, const std::string& steps_of,
                      uint32_t first) {
  std::vector<CodeStep> steps;
  for (const CodeRun& run : watched_runs(steps_of)) steps.push_back({uint32_t(run.last), run.code});
  const Problem asked = problem();
  return Watch(std::move(library), open_library(ASSAY_WATCH_LIBRARY))
      .call({.op = "cast", .contract = cast, .kernel = "cast", .problem = &asked}, first, steps);
}

int64_t sum(const std::vector<int32_t>& counts) { return std::accumulate(counts.begin(), counts.end(), int64_t{0}); }

/// A library whose only kernel is `run`.
std::shared_ptr<const assay_library> doing(assay_status (*run)(const assay_call*)) {
  assay_library functions{};
  functions.abi = ASSAY_ABI_VERSION;
  functions.size = sizeof functions;
  functions.run = run;
  return std::make_shared<const assay_library>(functions);
}

TEST(Watch, CountsWhatTheReferenceCounts) {
  const auto cpu = open_library(ASSAY_CPU_LIBRARY).functions;
  for (const uint32_t first : {0u, 0x3c000000u, 0x43e00000u, 0x7f7f0000u, 0xffff0000u - uint32_t(kInputs) + 0x10000u}) {
    const WatchedResult right = watched(cpu, "cuda.e4m3fn_sat", "cuda.e4m3fn_sat", first);
    ASSERT_EQ(right.call.status, CallStatus::kOk) << right.call.message;
    EXPECT_EQ(right.wrong, std::vector<int32_t>(4)) << first;

    std::vector<int32_t> expected(4);
    for (const RunDifference& d : differences(watched_runs("cuda.e4m3fn_nosat"), watched_runs("cuda.e4m3fn_sat")))
      for (uint64_t input = std::max<uint64_t>(d.first, first); input <= d.last && input < first + kInputs; ++input)
        ++expected[size_t((input - first) / SweepCalls::kWatchedInputs)];
    EXPECT_EQ(watched(cpu, "cuda.e4m3fn_sat", "cuda.e4m3fn_nosat", first).wrong, expected) << first;
  }
}

TEST(Watch, SeesCodesThatNobodyWroteInputsThatChangedAndBrokenGuards) {
  const auto nothing = doing([](const assay_call*) -> assay_status { return ASSAY_OK; });
  EXPECT_EQ(sum(watched(nothing, "cuda.e4m3fn_sat", "cuda.e4m3fn_sat", 0).wrong), int64_t(kInputs));

  const auto zeros = doing([](const assay_call* call) -> assay_status {
    std::fill_n(static_cast<uint8_t*>(call->tensors[1].data), call->tensors[1].bytes, uint8_t{0});
    return ASSAY_OK;
  });
  EXPECT_EQ(sum(watched(zeros, "cuda.e4m3fn_sat", "cuda.e4m3fn_sat", 0).wrong), 0) << "subnormals: zero is their code";

  const auto changing = doing([](const assay_call* call) -> assay_status {
    std::fill_n(static_cast<uint8_t*>(call->tensors[1].data), call->tensors[1].bytes, uint8_t{0});
    static_cast<uint32_t*>(call->tensors[0].data)[77] = 78;
    return ASSAY_OK;
  });
  EXPECT_EQ(sum(watched(changing, "cuda.e4m3fn_sat", "cuda.e4m3fn_sat", 0).wrong), 1);

  const auto outside = doing([](const assay_call* call) -> assay_status {
    static_cast<uint8_t*>(call->tensors[1].data)[call->tensors[1].bytes + 2] = 0;
    return ASSAY_OK;
  });
  const WatchedResult broken = watched(outside, "cuda.e4m3fn_sat", "cuda.e4m3fn_sat", 0);
  EXPECT_EQ(broken.call.status, CallStatus::kBroken);
  EXPECT_EQ(broken.call.message, "wrote outside 'q': 1 byte behind its end, first 2 bytes behind it");

  const auto refusing = doing([](const assay_call*) -> assay_status { return ASSAY_UNSUPPORTED; });
  EXPECT_EQ(watched(refusing, "cuda.e4m3fn_sat", "cuda.e4m3fn_sat", 0).call.status, CallStatus::kUnsupported);
}

}  // namespace
}  // namespace assay
