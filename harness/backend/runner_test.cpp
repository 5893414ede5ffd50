// The runner detects what a kernel does to memory.
#include "harness/backend/runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cfenv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>

#include "harness/backend/sentinel.h"
#include "harness/testing/toy_op.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

CallResult call(const std::string& kernel, const Problem& problem, uint64_t schedule_seed = 1) {
  const Backend toy = testing::toy_backend();
  return toy.call({"toy", "toy.copy", kernel, &problem, schedule_seed});
}

CallResult call(const std::string& kernel) { return call(kernel, testing::toy_problem(kBf16, 2, 8)); }

TEST(Runner, AnHonestKernelGivesItsOutputs) {
  const Problem problem = testing::toy_problem(kBf16, 2, 8);
  const CallResult result = call("copy", problem);
  EXPECT_EQ(result.status, CallStatus::kOk) << result.message;
  ASSERT_EQ(result.outputs.size(), 1u);
  EXPECT_EQ(result.outputs[0].bytes, problem.tensors[0].bytes);
  EXPECT_THAT(result.untouched[0], ElementsAre());
  EXPECT_GT(result.seconds, 0);
}

TEST(Runner, WritesOutsideABufferAreSeenOnBothSides) {
  EXPECT_EQ(call("overruns").status, CallStatus::kBroken);
  EXPECT_EQ(call("overruns").message, "wrote outside 'y': 1 byte behind its end, first 0 bytes behind it");
  EXPECT_EQ(call("far_overrun").message, "wrote outside 'y': 8 bytes behind its end, first 100 bytes behind it");
  EXPECT_EQ(call("underruns").message, "wrote outside 'y': 2 bytes before its start, nearest 1 byte before it");
}

TEST(Runner, AChangedFloatingPointEnvironmentIsNamedAndPutBack) {
  const CallResult rounds = call("rounds_down");
  EXPECT_EQ(std::fegetround(), FE_TONEAREST);
  EXPECT_EQ(rounds.status, CallStatus::kBroken);
  EXPECT_EQ(rounds.message, "left the floating-point environment changed (it was restored): the thread rounds downward");
#if defined(__x86_64__)
  EXPECT_THAT(call("flushes").message,
              HasSubstr("the thread flushes subnormal results to zero (FTZ), takes subnormal inputs as zero (DAZ)"));
  volatile float smallest = std::numeric_limits<float>::denorm_min();
  EXPECT_GT(smallest * 1.0f, 0.0f) << "the reference of this process still has its subnormals";
#endif
  EXPECT_EQ(call("copy").status, CallStatus::kOk);
}

TEST(Runner, AnExceptionOutOfTheLibraryIsItsOwn) {
  EXPECT_EQ(call("throws").status, CallStatus::kBroken);
  EXPECT_EQ(call("throws").message, "the library threw an exception: thrown on purpose");
}

TEST(Runner, AChangedInputIsSeen) {
  EXPECT_EQ(call("changes_input").status, CallStatus::kBroken);
  EXPECT_EQ(call("changes_input").message, "input 'x' was changed, first at storage element 2");
}

TEST(Runner, UnwrittenElementsAreToldFromWrittenSentinels) {
  const CallResult last = call("unwritten"), first = call("unwritten_first");
  EXPECT_EQ(last.status, CallStatus::kOk);
  EXPECT_THAT(last.untouched[0], ElementsAre(ByteRange{26, 32}));
  EXPECT_THAT(first.untouched[0], ElementsAre(ByteRange{0, 2}));
  for (const Format* format : {&kBf16, &kF32, &kE4M3Fn, &kE4M3Fnuz, &kE8M0, &kInt8, &kInt32}) {
    // A kernel that writes exactly the first sentinel's value counts as having written.
    Problem problem = testing::toy_problem(*format, 4, 64);
    problem.tensors[0].bytes = sentinel_storage(problem.tensors[0].spec, 0);
    EXPECT_THAT(call("copy", problem).untouched[0], ElementsAre()) << format->name;
    EXPECT_THAT(call("unwritten", problem).untouched[0], ElementsAre(ByteRange{253 * format->bytes(), 256 * format->bytes()}))
        << format->name;
    problem.tensors[0].bytes = sentinel_storage(problem.tensors[0].spec, 1);
    EXPECT_THAT(call("copy", problem).untouched[0], ElementsAre()) << format->name;
  }
}

TEST(Runner, AnInPlaceOutputStartsWithItsData) {
  Problem problem = testing::toy_problem(kBf16, 1, 4);
  problem.tensors[1].bytes = problem.tensors[0].bytes;
  problem.tensors[1].bytes[0] ^= std::byte{1};
  const CallResult result = call("unwritten", problem);
  EXPECT_TRUE(result.in_place[0]);
  EXPECT_THAT(result.untouched[0], ElementsAre(ByteRange{2, 8})) << "what is as before, written or not";
  EXPECT_EQ(result.outputs[0].bytes, problem.tensors[0].bytes);
}

TEST(Runner, StatusesComeWithTheLibrarysWords) {
  EXPECT_EQ(call("refuses").status, CallStatus::kUnsupported);
  EXPECT_EQ(call("refuses").message, "not on a Sunday");
  EXPECT_EQ(call("says_program").said.words, "every number as it is");
  const SaidAlgorithm said = call("says_algorithm").said;
  EXPECT_EQ(said, (SaidAlgorithm{.split_k = 3, .promote = 128, .order = SaidAlgorithm::Order::kAny}));
  EXPECT_EQ(said.text(), "split-K 3, promoted every 128, added in any order");
  EXPECT_EQ(call("says_nonsense").said.text(), "order 7, which abi.h does not define");
  EXPECT_TRUE(call("copy").said.empty());
  EXPECT_EQ(call("fails").status, CallStatus::kFailed);
  EXPECT_EQ(call("fails").message, "n must be  a multiple of 7") << "in one line";
  EXPECT_EQ(call("loses_device").status, CallStatus::kDeviceLost);
  EXPECT_EQ(call("unknown_status").status, CallStatus::kBroken);
  EXPECT_THAT(call("unknown_status").message, HasSubstr("run() returned 42"));
}

TEST(Runner, TheScheduleSeedReachesTheKernel) {
  const Problem problem = testing::toy_problem(kE8M0, 1, 8);
  EXPECT_EQ(call("follows_seed", problem, 5).outputs[0].code(4), 5u);
  EXPECT_EQ(call("follows_seed", problem, 6).outputs[0].code(4), 6u);
}

TEST(Runner, OneRunnerServesCallsOfGrowingAndShrinkingSize) {
  const Backend toy = testing::toy_backend();
  for (const int64_t n : {1, 1000, 3, 5000, 0, 17}) {
    const Problem problem = testing::toy_problem(kBf16, 2, n);
    const CallResult result = toy.call({"toy", "toy.copy", "copy", &problem, 1});
    EXPECT_EQ(result.outputs[0].bytes, problem.tensors[0].bytes) << n;
  }
}

TEST(Runner, AProblemWhoseBytesDoNotFitItsSpecIsAProgrammingError) {
  Problem problem = testing::toy_problem(kBf16, 2, 8);
  problem.tensors[0].bytes.pop_back();
  EXPECT_THROW(call("copy", problem), std::logic_error);
}

}  // namespace
}  // namespace assay
