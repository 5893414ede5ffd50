// Tests the headers for plug-in authors (assay/plugin) on a toy device, which this file implements in host memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "assay/plugin/library.hpp"
#include "kernels/testing/library.h"

namespace assay_kernels::plugin_test {
namespace {

using assay::plugin::Call;
using testing::HasSubstr;
using Row = assay::plugin::KernelOf<Call>;

Row row(const char* name, void (*run)(const Call&)) { return {name, "op", {"some.contract"}, {}, {}, run}; }

void reads(const Call& call) {
  const auto x = call.in<float>("x").dense_rows().aligned(16);
  const auto y = call.out<int8_t>("y").dense();
  if (call.integer("group_size") != 32 || call.number("eps", 0.5) != 0.5) assay::plugin::failed("other parameters");
  for (int64_t i = 0; i < x.rows(); ++i)
    for (int64_t j = 0; j < x.columns(); ++j) y.data[i * x.columns() + j] = int8_t(x.data[i * x.stride(0) + j]);
}
void wants_residual(const Call& call) { call.in<float>("residual"); }
void throws(const Call&) { throw std::runtime_error("expected hidden % 8 == 0"); }
void throws_a_number(const Call&) { throw 1; }
void loses_device(const Call&) { throw assay::plugin::DeviceLost("fell off the bus"); }

const assay_library& host() {
  return *assay::plugin::HostLibrary<Call>::of(
      {{"host \"of\"\n\ttests\\", "cpu", "\x01", "", "", true},
       {{"reads", "op", {"some.contract", "other.contract"}, {{"x", {"f32"}}, {"n", {32, 64}}}, {{"n", 8}}, reads},
        row("wants_residual", wants_residual),
        row("throws", throws),
        row("throws_a_number", throws_a_number),
        row("loses_device", loses_device),
        {"wrong", "op", {"some.contract"}, {}, {}, throws, "wrong", "issue \"7\"", "reads"}}});
}

alignas(16) float g_x[8] = {1, 2, 3, 4, 5, 6, 7, 8};
int8_t g_y[8];

CallBuilder call_of(std::vector<int64_t> strides = {4, 1}, bool output = true, Type type = kF32) {
  CallBuilder call;
  call.tensor("x", type, false, {2, 4}, std::move(strides), g_x, sizeof g_x).matrix("y", kInt8, output, 2, 4, g_y);
  call.parameter("group_size", 32);
  return call;
}

TEST(Plugin, DescribesItsTableInValidJson) {
  const auto json = nlohmann::json::parse(host().describe());
  EXPECT_EQ(json["name"], "host \"of\"\n\ttests\\");
  EXPECT_EQ(json["device"], "\x01");
  EXPECT_EQ(json["honours_schedule_seed"], true);
  const auto& reads = json["kernels"][0];
  EXPECT_EQ(reads["contracts"], nlohmann::json({"some.contract", "other.contract"}));
  EXPECT_EQ(reads["accepts"], nlohmann::json({{"x", {"f32"}}, {"n", {32, 64}}}));
  EXPECT_EQ(reads["multiple_of"]["n"], 8);
  EXPECT_FALSE(reads.contains("fault"));
  EXPECT_EQ(json["kernels"][5]["cites"], "issue \"7\"");
}

TEST(Plugin, JoinsTheRowsOfSeveralFilesInTheirOrder) {
  const std::vector<Row> first = {row("reads", reads), row("throws", throws)}, second = {row("wants_residual", wants_residual)};
  std::vector<std::string> names;
  for (const Row& kernel : assay::plugin::joined({first, {}, second})) names.push_back(kernel.name);
  EXPECT_EQ(names, std::vector<std::string>({"reads", "throws", "wants_residual"}));
}

TEST(Plugin, GivesTensorsByRole) {
  std::fill_n(g_y, 8, int8_t(0));
  ASSERT_EQ(call_of().run(host(), "op", "other.contract", "reads"), ASSAY_OK);
  EXPECT_EQ(g_y[7], 8);
}

TEST(Plugin, RefusesInWordsWhatItDoesNotTake) {
  const auto refused = [](CallBuilder call, const char* kernel, const char* words) {
    EXPECT_EQ(call.run(host(), "op", "some.contract", kernel), ASSAY_UNSUPPORTED) << words;
    EXPECT_THAT(call.message(), HasSubstr(words));
  };
  refused(call_of(), "wants_residual", "the call has no tensor 'residual'; it has x, y");
  refused(call_of({4, 1}, true, kInt32), "reads", "tensor 'x' is i32, this kernel takes f32");
  refused(call_of({4, 1}, false), "reads", "tensor 'y' is not an output of this call");
  refused(call_of({1, 2}), "reads", "tensor 'x' must have contiguous elements in each row");
  refused(call_of({5, 1}), "reads", "tensor 'x' must be aligned to 16 bytes, and so must each row");
  refused(call_of(), "nothing", "no kernel 'nothing'");
  CallBuilder call = call_of();
  EXPECT_EQ(call.run(host(), "op", "third.contract", "reads"), ASSAY_UNSUPPORTED);
  EXPECT_THAT(call.message(), HasSubstr("kernel 'reads' does not support op 'op' by contract 'third.contract'"));
  CallBuilder without;
  without.matrix("x", kF32, false, 2, 4, g_x).matrix("y", kInt8, true, 2, 4, g_y);
  refused(without, "reads", "the call has no parameter 'group_size'");
}

TEST(Plugin, ExceptionsEndInTheCallsStatus) {
  CallBuilder call = call_of();
  EXPECT_EQ(call.run(host(), "op", "some.contract", "throws"), ASSAY_FAILED);
  EXPECT_STREQ(call.message(), "expected hidden % 8 == 0");
  EXPECT_EQ(call.run(host(), "op", "some.contract", "throws_a_number"), ASSAY_FAILED);
  EXPECT_EQ(call.run(host(), "op", "some.contract", "loses_device"), ASSAY_DEVICE_LOST);
  CallBuilder half = call_of();
  half.parameter("eps", 0.25);
  EXPECT_EQ(half.run(host(), "op", "some.contract", "reads"), ASSAY_FAILED);
  CallBuilder fraction;
  fraction.matrix("x", kF32, false, 2, 4, g_x).matrix("y", kInt8, true, 2, 4, g_y).parameter("group_size", 0.5);
  EXPECT_EQ(fraction.run(host(), "op", "some.contract", "reads"), ASSAY_FAILED);
  EXPECT_STREQ(fraction.message(), "parameter 'group_size' is not an integer");

  char message[8] = "";
  assay_call raw{};
  raw.size = sizeof raw;
  raw.op = "op", raw.contract = "some.contract", raw.kernel = "throws", raw.message = message, raw.message_bytes = sizeof message;
  const std::vector<Row> kernels = {row("throws", throws)};
  EXPECT_EQ(assay::plugin::run(kernels, &raw, ASSAY_UNSUPPORTED), ASSAY_UNSUPPORTED)
      << "a library whose kernels throw to reject calls";
  EXPECT_STREQ(message, "expecte");
  raw.size = 8;
  EXPECT_EQ(assay::plugin::run(kernels, &raw), ASSAY_FAILED);
}

/// A device in host memory whose next call fails in the way that a test requests.
struct ToyRuntime {
  using Error = int;
  static constexpr Error kSuccess = 0, kBadLaunch = 1, kBrokenContext = 2, kGone = 3;
  static inline Error pending = 0;    ///< error left by a launch
  static inline bool broken = false;  ///< sticky, as in CUDA: every later call reports the error, and nothing clears it

  static std::string identify(assay::plugin::Identity& identity) {
    identity.arch = "toy";
    return "";
  }
  static Error now() { return broken ? kBrokenContext : kSuccess; }
  static Error allocate(void** data, size_t bytes) { return (*data = std::malloc(bytes)) ? now() : kGone; }
  static Error release(void* data) { return std::free(data), now(); }
  static Error copy_in(void* to, const void* from, size_t bytes) { return std::memcpy(to, from, bytes), now(); }
  static Error copy_out(void* to, const void* from, size_t bytes) { return std::memcpy(to, from, bytes), now(); }
  static Error wait(void*) { return now(); }
  static Error take_last_error() { return broken ? kBrokenContext : std::exchange(pending, kSuccess); }
  static Error create_stream(void**) { return now(); }
  static Error destroy_stream(void*) { return now(); }
  static Error begin_capture(void*) { return now(); }
  static Error end_capture(void*, void**) { return kGone; }
  static Error replay(void*, void*) { return now(); }
  static Error destroy_graph(void*) { return now(); }
  static std::string text(Error error) { return "error " + std::to_string(error); }
  static assay_status status_of(Error error) {
    constexpr assay_status kOf[] = {ASSAY_OK, ASSAY_FAILED, ASSAY_FAULTED, ASSAY_DEVICE_LOST};
    return kOf[error];
  }
};
struct AbsentRuntime : ToyRuntime {
  static std::string identify(assay::plugin::Identity&) { return "no toy"; }
};

void launches_badly(const Call&) { ToyRuntime::pending = ToyRuntime::kBadLaunch; }
void does_nothing(const Call&) {}

std::vector<Row> rows() { return {row("launches_badly", launches_badly), row("does_nothing", does_nothing)}; }

TEST(DevicePlugin, BlamesTheCallThatBrokeTheDeviceAndNoLaterOne) {
  const assay_library& toy = *assay::plugin::DeviceLibrary<ToyRuntime, Call>::of({{"toy", "", "", "", ""}, rows()});
  EXPECT_EQ(nlohmann::json::parse(toy.describe())["arch"], "toy");
  CallBuilder call = call_of();
  EXPECT_EQ(call.run(toy, "op", "some.contract", "launches_badly"), ASSAY_FAILED) << "the function did not check its launch";
  EXPECT_STREQ(call.message(), "launch: error 1");
  EXPECT_EQ(call.run(toy, "op", "some.contract", "does_nothing"), ASSAY_OK);
  EXPECT_EQ(toy.synchronise(nullptr), ASSAY_OK);
  void* graph = nullptr;
  EXPECT_EQ(toy.end_capture(nullptr, &graph), ASSAY_FAILED) << "the call used another stream";

  int word = 1;
  ToyRuntime::broken = true;  // asynchronous: the kernel was enqueued, and fails while it runs
  EXPECT_EQ(toy.synchronise(nullptr), ASSAY_FAULTED);
  EXPECT_EQ(toy.upload(&word, &word, 4), ASSAY_DEVICE_LOST);
  EXPECT_EQ(call.run(toy, "op", "some.contract", "does_nothing"), ASSAY_DEVICE_LOST);
  EXPECT_THAT(call.message(), HasSubstr("an earlier call left the device unusable for this process: error 2"));
  EXPECT_EQ(toy.allocate(4), nullptr);
}

TEST(DevicePlugin, WithoutADeviceItIsLostAndNotFailed) {
  const assay_library& toy = *assay::plugin::DeviceLibrary<AbsentRuntime, Call>::of({{"toy", "", "", "", ""}, rows()});
  EXPECT_EQ(nlohmann::json::parse(toy.describe())["device"], "no toy");
  CallBuilder call = call_of();
  EXPECT_EQ(call.run(toy, "op", "some.contract", "does_nothing"), ASSAY_DEVICE_LOST);
  EXPECT_STREQ(call.message(), "no toy");
  EXPECT_EQ(toy.create_stream(), nullptr);
}

}  // namespace
}  // namespace assay_kernels::plugin_test
