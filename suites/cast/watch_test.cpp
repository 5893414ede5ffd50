// The on-device checker, run on the CPU, agrees with the reference.
#include "harness/backend/watch.h"

#include <gtest/gtest.h>

#include <numeric>

#include "reference/casts/cast_runs.h"
#include "reference/formats/catalogue.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

constexpr uint64_t kInputs = 4 * SweepCalls::kWatchedInputs;

Problem problem() {
  const std::vector<int64_t> shape = {int64_t(kInputs) / 256, 256};
  return {{{dense("x", Role::kInput, kF32, shape), {}}, {dense("q", Role::kOutput, kE4M3Fn, shape), {}}}, {{"warp", 32.0}}};
}

std::vector<CodeRun> watched_runs(const std::string& contract) {
  open_rulebook(ASSAY_SOURCE_DIR);
  return runs_of(read_cast(rulebook().contracts.find(contract)));
}

/// Number of codes reported as wrong if `library` casts by one contract and the steps belong to another.
WatchedResult watched(std::shared_ptr<const assay_library> library, const std::string& cast, const std::string& steps_of,
                      uint32_t first) {
  std::vector<CodeStep> steps;
  for (const CodeRun& run : watched_runs(steps_of)) steps.push_back({uint32_t(run.last), run.code});
  const Problem asked = problem();
  return Watch(std::move(library), open_library(ASSAY_WATCH_LIBRARY))
      .call({.op = "cast", .contract = cast, .kernel = "cast", .problem = &asked}, first, steps);
}

int64_t sum(const std::vector<int32_t>& counts) { return std::accumulate(counts.begin(), counts.end(), int64_t{0}); }

/// A library that calls `run` instead of a cast.
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
