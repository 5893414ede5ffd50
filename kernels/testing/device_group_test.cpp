// Groups of ranks over several devices of one process, on devices that are toys: memory knows its device, and a launch its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <set>
#include <vector>

#include "assay/plugin/library.hpp"
#include "kernels/testing/quiet_runtime.h"

namespace assay_kernels::device_group_test {
namespace {

using assay::plugin::AreaRequest;
using assay::plugin::Call;
using assay::plugin::Ranks;
using Row = assay::plugin::KernelOf<Call>;

/// Devices of this process. Streams are numbers of 100 times the device and more.
struct ToyRuntime : QuietRuntime {
  static inline int count = 4, current = 0;
  static inline bool delivers = true;                                  ///< false: what is sent to another device never arrives
  static inline std::set<std::pair<int, int>> reached;                 ///< that were asked for
  static inline std::map<const void*, std::pair<size_t, int>> memory;  ///< bytes and device of each piece
  static inline std::vector<std::string> log, loaded;

  static inline bool loads = false;
  struct LoadScope {
    LoadScope() { loads = true; }
    ~LoadScope() { loads = false; }
  };

  static int device_of(const void* data) {
    auto piece = memory.upper_bound(data);
    return piece == memory.begin() ? -1 : (--piece)->second.second;
  }
  static int devices() { return count; }
  static Error use(int device) { return device < count ? (current = device, kSuccess) : kBad; }
  static bool reach(int from, int to) { return reached.emplace(from, to), current == from; }
  static Error allocate(void** data, size_t bytes) {
    *data = std::malloc(bytes);
    memory[*data] = {bytes, current};
    return kSuccess;
  }
  static Error release(void* data) { return memory.erase(data), std::free(data), kSuccess; }
  static Error copy_across(void* to, const void* from, size_t bytes) {
    if (!delivers && device_of(to) != device_of(from)) return std::memset(to, 0, bytes), kSuccess;
    return copy_in(to, from, bytes);
  }
  static Error copy_in(void* to, const void* from, size_t bytes) { return std::memcpy(to, from, bytes), kSuccess; }
  static Error copy_out(void* to, const void* from, size_t bytes) { return std::memcpy(to, from, bytes), kSuccess; }
  static Error wait(void* stream) {
    log.push_back("wait " + std::to_string(reinterpret_cast<intptr_t>(stream)) + " on " + std::to_string(current));
    return kSuccess;
  }
  static Error create_stream(void** stream) { return *stream = reinterpret_cast<void*>(intptr_t{100} * (current + 1)), kSuccess; }
};

/// y of each rank is the sum of all x. It says where it was launched, and of whose memory x, y and areas are.
void sums(const Call& call, const Ranks& ranks, int first, int count) {
  if (ToyRuntime::loads) {
    ToyRuntime::loaded.push_back("ranks from " + std::to_string(first) + " on " + std::to_string(ToyRuntime::current));
    for (const std::string& step : ToyRuntime::log) EXPECT_EQ(step.find("ranks"), std::string::npos) << "none runs yet";
    return;
  }
  ToyRuntime::log.push_back("ranks " + std::to_string(first) + " to " + std::to_string(first + count - 1) + " on " +
                            std::to_string(ToyRuntime::current) + " in " +
                            std::to_string(reinterpret_cast<intptr_t>(call.raw().stream)));
  for (int rank = first; rank < first + count; ++rank) {
    const auto y = Call(*ranks.calls[rank]).out<float>("y");
    EXPECT_EQ(ToyRuntime::device_of(y.data), ToyRuntime::current);
    EXPECT_EQ(ToyRuntime::device_of(ranks.areas[rank]), ToyRuntime::current);
    y.data[0] = 0;
    for (int from = 0; from < ranks.size; ++from) y.data[0] += Call(*ranks.calls[from]).in<float>("x").data[0];
  }
}
void refuses_late(const Call& call, const Ranks& ranks, int first, int count) {
  if (first > 0 && !ToyRuntime::loads) assay::plugin::unsupported("not on the second device");
  sums(call, ranks, first, count);
}

const assay_library& library() {
  const auto row = [](const char* name, void (*run)(const Call&, const Ranks&, int, int)) {
    Row made{name, "op", {"some.contract"}, {}, {}, nullptr};
    made.area = [](const Call&) { return AreaRequest{}; };
    made.run_ranks = run;
    return made;
  };
  return *assay::plugin::DeviceLibrary<ToyRuntime, Call>::of(
      {{"toy", "", "", "", ""}, {row("sums", sums), row("refuses_late", refuses_late)}});
}

class DeviceGroup : public testing::Test {
 protected:
  void SetUp() override {
    ToyRuntime::count = 4, ToyRuntime::current = 0, ToyRuntime::delivers = true;
    ToyRuntime::reached.clear(), ToyRuntime::log.clear(), ToyRuntime::loaded.clear();
    ::unsetenv("ASSAY_DEVICES");
  }
  void TearDown() override {
    ::unsetenv("ASSAY_DEVICES");
    if (group_ != nullptr) library().destroy_group(group_);
    EXPECT_TRUE(ToyRuntime::memory.empty()) << "what was allocated for the group goes with it";
    EXPECT_EQ(ToyRuntime::current, 0) << "the device of before";
  }
  /// Launches and waits of a call of so many ranks, each of which has its number and one.
  std::vector<std::string> launches(int ranks, const char* kernel = "sums", assay_status wanted = ASSAY_OK) {
    group_ = library().create_group(ranks);
    std::vector<std::array<assay_tensor, 2>> tensors;
    std::vector<assay_call> calls(static_cast<size_t>(ranks));
    std::vector<const assay_call*> pointers;
    for (int r = 0; r < ranks; ++r) {
      auto *x = static_cast<float*>(library().allocate_on(group_, r, 4)),
           *y = static_cast<float*>(library().allocate_on(group_, r, 4));
      *x = float(r + 1);
      tensors.push_back({assay_tensor{sizeof(assay_tensor), ASSAY_FLOAT, 32, 0, 1, "x", &kOne, &kOne, x, 4},
                         assay_tensor{sizeof(assay_tensor), ASSAY_FLOAT, 32, 1, 1, "y", &kOne, &kOne, y, 4}});
    }
    for (int r = 0; r < ranks; ++r) {
      assay_call& call = calls[size_t(r)];
      call.size = sizeof call, call.op = "op", call.contract = "some.contract", call.kernel = kernel;
      call.tensors = tensors[size_t(r)].data(), call.n_tensors = 2, call.rank = r, call.world_size = ranks;
      pointers.push_back(&call);
    }
    ToyRuntime::log.clear();
    EXPECT_EQ(library().run_group(group_, pointers.data(), ranks), wanted);
    for (int r = 0; r < ranks && wanted == ASSAY_OK; ++r)
      EXPECT_EQ(*static_cast<float*>(tensors[size_t(r)][1].data), float(ranks * (ranks + 1) / 2)) << r;
    return ToyRuntime::log;
  }
  static constexpr int64_t kOne = 1;
  void* group_ = nullptr;
};

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(DeviceGroup, EachDeviceGetsItsRanksAndAllAreLaunchedBeforeOneIsWaitedFor) {
  ToyRuntime::count = 2;
  EXPECT_THAT(launches(4), ElementsAre("wait 0 on 0", "wait 0 on 1", "ranks 0 to 1 on 0 in 100", "ranks 2 to 3 on 1 in 200",
                                       "wait 100 on 0", "wait 200 on 1"));
  EXPECT_EQ(ToyRuntime::reached, (std::set<std::pair<int, int>>{{0, 1}, {1, 0}})) << "both ways";
}

TEST_F(DeviceGroup, NoDeviceHasMoreRanksThanAnother) {
  EXPECT_THAT(launches(2), ElementsAre("wait 0 on 0", "wait 0 on 1", "ranks 0 to 0 on 0 in 100", "ranks 1 to 1 on 1 in 200",
                                       "wait 100 on 0", "wait 200 on 1"));
  library().destroy_group(group_);
  EXPECT_THAT(launches(6), testing::Contains("ranks 4 to 5 on 2 in 300")) << "six ranks on three of four devices";
}

TEST_F(DeviceGroup, ASharedDeviceWhereTheyAreFewerOrAskedFor) {
  ::setenv("ASSAY_DEVICES", "1", 1);
  EXPECT_THAT(launches(4), ElementsAre("wait 0 on 0", "ranks 0 to 3 on 0 in 100", "wait 100 on 0"));
  library().destroy_group(group_);
  ::unsetenv("ASSAY_DEVICES");
  ToyRuntime::count = 1;
  EXPECT_THAT(launches(4), ElementsAre("wait 0 on 0", "ranks 0 to 3 on 0 in 100", "wait 100 on 0"));
}

TEST_F(DeviceGroup, DevicesThatAreNamed) {
  ::setenv("ASSAY_DEVICES", "3,1", 1);
  EXPECT_THAT(launches(4), Contains("ranks 2 to 3 on 1 in 200"));
  library().destroy_group(group_);
  ::setenv("ASSAY_DEVICES", "9,2", 1);
  EXPECT_THAT(launches(4), Contains("ranks 0 to 3 on 2 in 300")) << "one that is not there is left out";
}

TEST_F(DeviceGroup, OneDeviceRehearsesTwo) {
  ::setenv("ASSAY_DEVICES", "0,0", 1);
  ToyRuntime::count = 1;
  EXPECT_THAT(launches(4), ElementsAre("wait 0 on 0", "wait 0 on 0", "ranks 0 to 1 on 0 in 100", "ranks 2 to 3 on 0 in 100",
                                       "wait 100 on 0", "wait 100 on 0"));
  EXPECT_THAT(ToyRuntime::loaded, ElementsAre("ranks from 0 on 0", "ranks from 2 on 0"));
}

TEST_F(DeviceGroup, KernelsAreLoadedOnAllDevicesBeforeOneRuns) {
  ToyRuntime::count = 2;
  (void)launches(2);
  EXPECT_THAT(ToyRuntime::loaded, ElementsAre("ranks from 0 on 0", "ranks from 1 on 1"));
  library().destroy_group(group_);
  ToyRuntime::loaded.clear();
  ToyRuntime::count = 1;
  (void)launches(2);
  EXPECT_THAT(ToyRuntime::loaded, IsEmpty()) << "all ranks share a launch";
}

TEST_F(DeviceGroup, DevicesThatPromiseAccessAndDeliverNothingAreNotUsedTogether) {
  ToyRuntime::delivers = false;
  EXPECT_THAT(launches(4), ElementsAre("wait 0 on 0", "ranks 0 to 3 on 0 in 100", "wait 100 on 0"));
}

TEST_F(DeviceGroup, WhatWasLaunchedIsWaitedForWhereAnotherDeviceRefuses) {
  ToyRuntime::count = 2;
  EXPECT_THAT(launches(2, "refuses_late", ASSAY_UNSUPPORTED),
              ElementsAre("wait 0 on 0", "wait 0 on 1", "ranks 0 to 0 on 0 in 100", "wait 100 on 0", "wait 200 on 1"));
}

}  // namespace
}  // namespace assay_kernels::device_group_test
