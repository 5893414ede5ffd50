// Tests libraries in this process: which are refused when they are loaded, and what calls on host and device memory report.
#include "harness/backend/runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cfenv>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "harness/backend/call_memory.h"
#include "harness/backend/library.h"
#include "harness/testing/toy_library.h"
#include "harness/testing/toy_op.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Reads libraries. Inconsistent function tables and invalid descriptions are rejected.

template <class Action>
std::string library_error(Action action) {
  try {
    action();
  } catch (const LibraryError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Library, TableOfFunctionsIsChecked) {
  const auto error_with = [](auto change) {
    assay_library library = *testing::toy_library();
    change(library);
    return library_error([&] { check_functions(library, "l.so"); });
  };
  EXPECT_EQ(error_with([](assay_library&) {}), "no error");
  EXPECT_EQ(error_with([](assay_library& l) { l.abi = 7; }), "l.so: wrong ABI version: library has 7, this program uses 1");
  EXPECT_THAT(error_with([](assay_library& l) { l.size = 8; }), HasSubstr("l.so: assay_library is 8 bytes"));
  EXPECT_EQ(error_with([](assay_library& l) { l.run = nullptr; }), "l.so: describe and run must not be NULL");
  EXPECT_THAT(error_with([](assay_library& l) { l.release = std::free; }), HasSubstr("must be all set or all NULL"));
}

TEST(Library, DescriptionsAreChecked) {
  const auto error_of = [](const std::string& json) { return library_error([&] { parse_description(json, "l.so"); }); };
  EXPECT_EQ(error_of("{"), "l.so: describe(): line 1, column 2: is truncated or damaged: not valid JSON");
  EXPECT_EQ(error_of("[]"), "l.so: describe(): library must be an object");
  EXPECT_EQ(error_of(R"({"name": "a"})"), "l.so: describe(): library.arch is missing");
  EXPECT_EQ(error_of(R"({"name": "a", "arch": "cpu"})"), "l.so: describe(): library.kernels is missing");
  EXPECT_EQ(error_of(R"({"name": "a", "arch": "cpu", "kernels": [{"name": 1}]})"),
            "l.so: describe(): kernels[0].name must be a string");
  const std::string start = R"({"name": "a", "arch": "cpu", "kernels": [{"name": "k", "op": "o", )";
  EXPECT_EQ(error_of(start + R"("contracts": "c"}]})"), "l.so: describe(): kernels[0].contracts must be a list of strings");
  EXPECT_EQ(error_of(start + R"("accepts": {"n": 8}}]})"), "l.so: describe(): kernels[0].accepts.n must be a list");
  EXPECT_EQ(error_of(start + R"("contract": ["c"]}]})"),
            "l.so: describe(): kernels[0]: unknown key 'contract'; did you mean 'contracts'?");
  EXPECT_EQ(error_of(R"({"name": "a", "arch": "cpu", "kernel": []})"),
            "l.so: describe(): library: unknown key 'kernel'; did you mean 'kernels'?");
  EXPECT_EQ(error_of(R"({"name": "a\u001b[2J", "arch": "cpu", "kernels": []})"),
            "l.so: describe(): library.name holds a control character: a\\x1b[2J");
  EXPECT_EQ(error_of(R"({"name": ")" + std::string(1'000'000, 'a') + R"(", "arch": "cpu", "kernels": []})"),
            "l.so: describe(): library.name has 1000000 bytes; expected at most 256");
  EXPECT_EQ(error_of(R"({"name": "a", "arch": ")" + std::string(5000, 'a') + R"(", "kernels": []})"),
            "l.so: describe(): library.arch has 5000 bytes; expected at most 4096");
  const std::string twice = R"({"name": "k", "op": "o", "contracts": ["c", "d"]})";
  EXPECT_EQ(error_of(R"({"name": "a", "arch": "cpu", "kernels": [)" + twice + "," + twice + "]}"),
            "l.so: describe(): kernels[1]: 'k' for contract c of op o is listed twice, first in kernels[0]");
  EXPECT_EQ(error_of(start + R"("multiple_of": {"n": 0}}]})"),
            "l.so: describe(): kernels[0].multiple_of.n must be an integer >= 1");
}

TEST(Library, DescriptionsAreRead) {
  const LibraryInfo info = parse_description(
      R"({"name": "a", "arch": "sm_90", "device": "d", "kernels": [{"name": "k", "op": "o", "contracts": ["c"],
          "accepts": {"group_size": [64, 128], "layout": ["row"], "eps": [1e-6]}, "multiple_of": {"n": 8}, "fault": "f"}]})",
      "l.so");
  EXPECT_EQ(info.arch, "sm_90");
  EXPECT_THAT(info.kernels.at(0).accepts.at("group_size"), ElementsAre("64", "128"));
  EXPECT_THAT(info.kernels.at(0).accepts.at("layout"), ElementsAre("row"));
  EXPECT_EQ(info.kernels.at(0).multiple_of.at("n"), 8);
  EXPECT_EQ(info.kernels.at(0).fault, "f");
}

// The runner detects what a kernel does to memory.

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
              HasSubstr("the thread flushes subnormal results to zero (FTZ), reads subnormal inputs as zero (DAZ)"));
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
    // A kernel that writes exactly the bytes of sentinel 0 must not count as one that left its output unwritten.
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
  EXPECT_THAT(result.untouched[0], ElementsAre(ByteRange{2, 8})) << "the bytes that the call did not change";
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

// A library with a device: only its own functions can access device memory, and it may refuse a call or stop answering.

// A device with separate memory: only its own functions may access it.
namespace device {
int allocations = 0;
bool refuse_upload = false, refuse_allocation = false;
void* allocate(size_t bytes) { return refuse_allocation ? nullptr : (++allocations, std::malloc(bytes)); }
void release(void* data) { --allocations, std::free(data); }
assay_status upload(void* to, const void* from, size_t bytes) {
  return refuse_upload ? ASSAY_DEVICE_LOST : (std::memcpy(to, from, bytes), ASSAY_OK);
}
assay_status download(void* to, const void* from, size_t bytes) { return std::memcpy(to, from, bytes), ASSAY_OK; }
assay_status synchronise_fails(void*) { return ASSAY_FAILED; }
}  // namespace device

assay_library device_library() {
  assay_library library = *testing::toy_library();
  library.allocate = device::allocate;
  library.release = device::release;
  library.upload = device::upload;
  library.download = device::download;
  return library;
}

TEST(Runner, DeviceMemoryIsAskedOfTheLibraryAndGivenBack) {
  const Problem problem = testing::toy_problem(kBf16, 2, 8);
  const CallRequest request{"toy", "toy.copy", "copy", &problem, 1};
  {
    Runner runner(std::make_shared<assay_library>(device_library()));
    EXPECT_EQ(runner.call(request).outputs[0].bytes, problem.tensors[0].bytes);
    EXPECT_EQ(device::allocations, 2);
    runner.call(request);
    EXPECT_EQ(device::allocations, 2) << "buffers are kept";
    device::refuse_upload = true;
    EXPECT_EQ(runner.call(request).status, CallStatus::kDeviceLost);
    device::refuse_upload = false;
  }
  EXPECT_EQ(device::allocations, 0);
  device::refuse_allocation = true;
  Runner poor(std::make_shared<assay_library>(device_library()));
  EXPECT_THAT(poor.call(request).message, HasSubstr("cannot allocate"));
  device::refuse_allocation = false;
}

TEST(Runner, ADeviceHasWideZonesSinceNothingThereCanBeMadeUntouchable) {
  Runner runner(std::make_shared<assay_library>(device_library()));
  const Problem problem = testing::toy_problem(kBf16, 2, 8);
  EXPECT_EQ(runner.call({"toy", "toy.copy", "writes_far_behind", &problem, 1}).message,
            "wrote outside 'y': 1 byte behind its end, first 60000 bytes behind it");
  EXPECT_EQ(runner.call({"toy", "toy.copy", "writes_far_before", &problem, 1}).message,
            "wrote outside 'y': 1 byte before its start, nearest 60000 bytes before it");
  Problem wide = testing::toy_problem(kBf16, 2, 8);
  for (HostTensor& tensor : wide.tensors) {
    tensor.spec.strides[0] = 100000;
    tensor.spec.storage = 100008;
  }
  wide.tensors[0].bytes.resize(wide.tensors[0].spec.bytes());
  EXPECT_EQ(runner.call({"toy", "toy.copy", "writes_a_row_behind", &wide, 1}).message,
            "wrote outside 'y': 1 byte behind its end, first 199999 bytes behind it");
}

TEST(Runner, ABlockIsReadWholeAfterItsGuardsAloneWereWritten) {
  const std::vector<std::byte> data(size_t{1} << 20, std::byte{0x5a});
  std::string problem;
  DeviceBlock block(std::make_shared<assay_library>(device_library()));
  ASSERT_TRUE(block.enclose(data.size(), problem)) << problem;
  std::memcpy(block.address(), data.data(), data.size());
  ASSERT_TRUE(block.download(problem)) << problem;
  EXPECT_TRUE(std::equal(data.begin(), data.end(), block.downloaded().begin(), block.downloaded().end()));
  EXPECT_EQ(block.guard_damage(), "");
}

TEST(Runner, ACopyFromTheGuardsOfOneBlockToThoseOfAnotherIsDamage) {
  const std::vector<std::byte> data(64, std::byte{0x5a});
  std::string problem;
  const auto library = std::make_shared<assay_library>(*testing::toy_library());  // host memory
  DeviceBlock from(library), to(library);
  ASSERT_TRUE(from.upload(data, problem) && to.upload(data, problem)) << problem;
  std::memcpy(to.address(), from.address(), data.size());
  EXPECT_EQ(to.guard_damage(), "");
  std::memcpy(static_cast<std::byte*>(to.address()) + 64, static_cast<std::byte*>(from.address()) + 64, 16);
  EXPECT_EQ(to.guard_damage(), "16 bytes behind its end, first 0 bytes behind it");
}

/// A problem whose tensor number `tensor` (0: x, 1: y) has five rows of 64 elements with offsets beyond 32 bits.
Problem far_problem(size_t tensor) {
  Problem problem = testing::toy_problem(kBf16, 5, 64);
  problem.tensors[tensor].spec.far = (int64_t{1} << 30) + 8;
  return problem;
}

TEST(Runner, FarRowsAreReadAndWrittenWithoutMemoryBetweenThem) {
  Runner runner(std::make_shared<assay_library>(*testing::toy_library()));
  for (const size_t tensor : {size_t{0}, size_t{1}}) {
    const Problem problem = far_problem(tensor);
    const CallResult result = runner.call({"toy", "toy.copy", "copies_rows", &problem, 1});
    ASSERT_EQ(result.status, CallStatus::kOk) << result.message;
    EXPECT_EQ(result.outputs[0].bytes, problem.tensors[0].bytes);
    EXPECT_TRUE(result.untouched[0].empty());
  }
  const Problem problem = far_problem(1), near = testing::toy_problem(kBf16, 5, 64);
  EXPECT_EQ(runner.call({"toy", "toy.copy", "writes_behind_a_row", &problem, 1}).message,
            "wrote outside 'y': 1 byte between its rows");
  EXPECT_EQ(runner.call({"toy", "toy.copy", "copies_rows", &near, 1}).outputs[0].bytes, near.tensors[0].bytes)
      << "the block also takes ordinary tensors";
}

namespace device {
std::map<void*, std::unique_ptr<FarPages>> far_rows;
void* allocate_rows(size_t rows, size_t bytes, size_t pitch) {
  auto pages = std::make_unique<FarPages>(FarRows{rows, bytes, pitch});
  void* const begin = pages->begin();
  far_rows.emplace(begin, std::move(pages));
  return begin;
}
void release_all(void* data) {
  if (far_rows.erase(data) == 0) release(data);
}
}  // namespace device

TEST(Runner, FarRowsOfADeviceAreTakenFromTheLibrary) {
  const Problem problem = far_problem(0), near = testing::toy_problem(kBf16, 5, 64);
  assay_library library = device_library();
  library.release = device::release_all;
  Runner without(std::make_shared<assay_library>(library));
  const CallResult skipped = without.call({"toy", "toy.copy", "copies_rows", &problem, 1});
  EXPECT_EQ(skipped.status, CallStatus::kUnsupported);
  EXPECT_THAT(skipped.message, HasSubstr("it has no allocate_rows()"));
  library.allocate_rows = device::allocate_rows;
  {
    Runner runner(std::make_shared<assay_library>(library));
    for (const Problem* one : {&problem, &near, &problem}) {
      const CallResult result = runner.call({"toy", "toy.copy", "copies_rows", one, 1});
      ASSERT_EQ(result.status, CallStatus::kOk) << result.message;
      EXPECT_EQ(result.outputs[0].bytes, problem.tensors[0].bytes);
    }
    EXPECT_EQ(device::far_rows.size(), 1u);
  }
  EXPECT_TRUE(device::far_rows.empty());
}

TEST(Runner, ACallAfterWhichTheDeviceAnswersNoMoreIsBroken) {
  assay_library library = device_library();
  library.run = [](const assay_call* call) -> assay_status {
    device::refuse_upload = true;  // after an illegal address, every later call of the device fails
    std::snprintf(call->message, call->message_bytes, "illegal address");
    return ASSAY_FAILED;
  };
  Runner runner(std::make_shared<assay_library>(library));
  const Problem problem = testing::toy_problem(kBf16, 2, 8);
  const CallResult guilty = runner.call({"toy", "toy.copy", "copy", &problem, 1});
  EXPECT_EQ(guilty.status, CallStatus::kBroken);
  EXPECT_EQ(guilty.message, "illegal address; the device no longer answers this process");
  EXPECT_TRUE(guilty.poisoned);
  const CallResult innocent = runner.call({"toy", "toy.copy", "copy", &problem, 1});
  EXPECT_EQ(innocent.status, CallStatus::kDeviceLost);
  EXPECT_FALSE(innocent.reached_kernel);
  device::refuse_upload = false;
}

TEST(Runner, AnErrorThatOnlySynchroniseSeesIsAFailure) {
  assay_library library = *testing::toy_library();
  library.synchronise = device::synchronise_fails;
  const Problem problem = testing::toy_problem(kBf16, 2, 8);
  const CallResult result = Runner(std::make_shared<assay_library>(library)).call({"toy", "toy.copy", "copy", &problem, 1});
  EXPECT_EQ(result.status, CallStatus::kFailed);
  EXPECT_EQ(result.message, "synchronise() failed after the call");
}

}  // namespace
}  // namespace assay
