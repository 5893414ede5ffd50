// A library with a device: only its own functions access device memory, and it may refuse a call or stop answering.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "harness/backend/device_block.h"
#include "harness/backend/runner.h"
#include "harness/testing/toy_library.h"
#include "harness/testing/toy_op.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

using ::testing::HasSubstr;

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

TEST(Runner, ACallAfterWhichTheDeviceAnswersNoMoreIsBroken) {
  assay_library library = device_library();
  library.run = [](const assay_call* call) -> assay_status {
    device::refuse_upload = true;  // like every call after an illegal address
    std::snprintf(call->message, call->message_bytes, "illegal address");
    return ASSAY_FAILED;
  };
  Runner runner(std::make_shared<assay_library>(library));
  const Problem problem = testing::toy_problem(kBf16, 2, 8);
  const CallResult guilty = runner.call({"toy", "toy.copy", "copy", &problem, 1});
  EXPECT_EQ(guilty.status, CallStatus::kBroken);
  EXPECT_EQ(guilty.message, "illegal address; and the device no longer answers this process");
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
  EXPECT_EQ(result.message, "synchronise failed after the call");
}

}  // namespace
}  // namespace assay
