// Tests rank groups through the headers for plug-in authors: over several devices of one process, over several processes, and
// two groups at the same time.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "assay/plugin/library.hpp"
#include "kernels/testing/library.h"

namespace assay_kernels {
namespace {

// Toy devices: errors are numbers, and streams and graphs do nothing.

struct QuietRuntime {
  using Error = int;
  static constexpr Error kSuccess = 0, kBad = 1;
  static std::string identify(assay::plugin::Identity& identity) { return identity.arch = "toy", ""; }
  static Error take_last_error() { return kSuccess; }
  static Error create_stream(void**) { return kSuccess; }
  static Error destroy_stream(void*) { return kSuccess; }
  static Error begin_capture(void*) { return kSuccess; }
  static Error end_capture(void*, void**) { return kSuccess; }
  static Error replay(void*, void*) { return kSuccess; }
  static Error destroy_graph(void*) { return kSuccess; }
  static std::string text(Error error) { return "error " + std::to_string(error); }
  static assay_status status_of(Error error) { return error == kSuccess ? ASSAY_OK : ASSAY_DEVICE_LOST; }
};

}  // namespace
}  // namespace assay_kernels

namespace assay_kernels::device_group_test {

// Rank groups over several toy devices of one process. The toy runtime records on which device memory and launches are.

namespace {

using assay::plugin::AreaRequest;
using assay::plugin::Call;
using assay::plugin::Ranks;
using Row = assay::plugin::KernelOf<Call>;

/// Devices of this process. Stream number s belongs to device s / 100.
struct ToyRuntime : QuietRuntime {
  static inline int count = 4, current = 0;
  static inline bool delivers = true;                                  ///< false: writes to another device never arrive
  static inline std::set<std::pair<int, int>> reached;                 ///< pairs of devices for which access was requested
  static inline std::map<const void*, std::pair<size_t, int>> memory;  ///< size and device of each allocation
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

/// y of each rank is the sum of all x. Logs where it was launched, and which device owns x, y and the areas.
void sums(const Call& call, const Ranks& ranks, int first, int count) {
  if (ToyRuntime::loads) {
    ToyRuntime::loaded.push_back("ranks from " + std::to_string(first) + " on " + std::to_string(ToyRuntime::current));
    for (const std::string& step : ToyRuntime::log) EXPECT_EQ(step.find("ranks"), std::string::npos) << "loads come first";
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
    EXPECT_TRUE(ToyRuntime::memory.empty()) << "destroying the group releases its memory";
    EXPECT_EQ(ToyRuntime::current, 0) << "the current device is restored";
  }
  /// Makes a call with `ranks` ranks and returns the log of launches and waits. Each element of rank r's x is r + 1.
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
  EXPECT_EQ(ToyRuntime::reached, (std::set<std::pair<int, int>>{{0, 1}, {1, 0}})) << "access is requested in both directions";
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
  EXPECT_THAT(launches(4), Contains("ranks 0 to 3 on 2 in 300")) << "an absent device is left out";
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

namespace assay_kernels::device_processes_test {

namespace {

// A toy device whose memory is files, so that other processes can map it.

/// Memory of a process. Each allocation is a file; opening it again maps the same bytes at another address.
struct FileRuntime : QuietRuntime {
  struct Handle {
    char name[64];
    size_t bytes;
  };
  static inline std::map<void*, Handle> pieces;
  static inline std::set<void*> exported;
  /// Counts over all processes: open mappings of peers' memory, and exported pieces that were released while a mapping was open.
  struct Counts {
    int open, released_early;
  };
  static inline Counts* counts =
      static_cast<Counts*>(::mmap(nullptr, sizeof(Counts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  static inline bool exports = true;
  static inline std::vector<std::pair<void*, std::vector<unsigned char>>> under_way;

  static Error map(const Handle& handle, void** data) {
    const int file = ::open(handle.name, O_RDWR | O_CREAT, 0600);
    if (file < 0 || ::ftruncate(file, off_t(handle.bytes)) != 0) return kBad;
    *data = ::mmap(nullptr, handle.bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    ::close(file);
    return *data == MAP_FAILED ? kBad : kSuccess;
  }
  static Error allocate(void** data, size_t bytes) {
    static int number = 0;
    Handle handle{{}, bytes};
    std::snprintf(handle.name, sizeof handle.name, "/dev/shm/assay_device_test.%d.%d", int(::getpid()), number++);
    const Error error = map(handle, data);
    pieces[*data] = handle;
    return error;
  }
  static Error release(void* data) {
    if (exported.erase(data) > 0 && __atomic_load_n(&counts->open, __ATOMIC_SEQ_CST) > 0)
      __atomic_fetch_add(&counts->released_early, 1, __ATOMIC_SEQ_CST);
    ::unlink(pieces.at(data).name);
    return ::munmap(data, pieces.at(data).bytes), pieces.erase(data), kSuccess;
  }
  static Error export_memory(Handle& handle, void* data) {
    return exports ? (exported.insert(data), handle = pieces.at(data), kSuccess) : kBad;
  }
  static Error open_memory(void** data, const Handle& handle) {
    __atomic_fetch_add(&counts->open, 1, __ATOMIC_SEQ_CST);
    return map(handle, data);
  }
  static Error close_memory(void*) {
    __atomic_fetch_sub(&counts->open, 1, __ATOMIC_SEQ_CST);
    return kSuccess;
  }
  static Error copy_across(void* to, const void* from, size_t bytes) { return std::memcpy(to, from, bytes), kSuccess; }
  /// Copies only when the host waits for the stream, as a copy from unpinned memory may.
  static Error copy_in(void* to, const void* from, size_t bytes) {
    const auto* const data = static_cast<const unsigned char*>(from);
    under_way.push_back({to, std::vector<unsigned char>(data, data + bytes)});
    return kSuccess;
  }
  static Error copy_out(void* to, const void* from, size_t bytes) { return std::memcpy(to, from, bytes), kSuccess; }
  static Error wait(void*) {
    for (const auto& [to, data] : under_way) std::memcpy(to, data.data(), data.size());
    return under_way.clear(), kSuccess;
  }
};

}  // namespace

// Ranks in two processes of this test, and a device whose memory is files that both can map.

namespace {

using assay::plugin::AreaRequest;
using assay::plugin::Call;
using assay::plugin::Ranks;
using Row = assay::plugin::KernelOf<Call>;

constexpr unsigned char kFirst = 7;  ///< initial value of the first byte of an area after its head

/// y = the sum of all x, plus the first byte of the rank's own area after the head.
void sums(const Call&, const Ranks& ranks, int first, int count) {
  for (int rank = first; rank < first + count; ++rank) {
    const auto y = Call(*ranks.calls[rank]).out<float>("y");
    auto* const own = static_cast<unsigned char*>(ranks.areas[rank]) + assay::plugin::kAreaHead;
    for (int64_t i = 0; i < y.elements(); ++i) y.data[i] = own[0];
    for (int from = 0; from < ranks.size; ++from)
      for (int64_t i = 0; i < y.elements(); ++i) y.data[i] += Call(*ranks.calls[from]).in<float>("x").data[i];
  }
}
/// Each rank r adds r + 1 to the first byte, after the head, of every rank's area.
void marks(const Call&, const Ranks& ranks, int first, int count) {
  for (int rank = first; rank < first + count; ++rank) {
    static_cast<float*>(Call(*ranks.calls[rank]).out<float>("y").data)[0] = 0;
    for (int to = 0; to < ranks.size; ++to)
      __atomic_fetch_add(static_cast<unsigned char*>(ranks.areas[to]) + assay::plugin::kAreaHead, rank + 1, __ATOMIC_RELAXED);
  }
}

AreaRequest area(const Call&) {
  AreaRequest request;
  request.bytes = 8192;
  request.fill = [](unsigned char* data, size_t) { data[assay::plugin::kAreaHead] = kFirst; };
  return request;
}

const assay_library& library() {
  const auto row = [](const char* name, void (*run)(const Call&, const Ranks&, int, int)) {
    Row made{name, "op", {"some.contract"}, {}, {}, nullptr};
    made.area = area;
    made.run_ranks = run;
    return made;
  };
  return *assay::plugin::DeviceLibrary<FileRuntime, Call>::of(
      {{"toy", "", "", "", ""}, {row("sums", sums), row("marks", marks)}});
}

/// One process's ranks of a group of four. The tensors of rank r start r words after an aligned address.
class Part {
 public:
  Part(const std::string& folder, int32_t first) : first_(first) {
    const assay_place place{sizeof place, 4, first, 2, folder.c_str()};
    group_ = library().join_group(&place);
    for (size_t i = 0; i < 2; ++i) x_[i] = tensor(first + int32_t(i)), y_[i] = tensor(first + int32_t(i));
  }
  ~Part() { library().destroy_group(group_); }

  assay_status run(const char* kernel) {
    std::array<assay_call, 2> calls{};
    std::array<std::array<assay_tensor, 2>, 2> tensors{};
    for (size_t i = 0; i < 2; ++i) {
      x_[i][0] = float(first_ + int32_t(i) + 1);
      tensors[i] = {assay_tensor{sizeof(assay_tensor), ASSAY_FLOAT, 32, 0, 1, "x", &kSize, &kStride, x_[i], sizeof(float)},
                    assay_tensor{sizeof(assay_tensor), ASSAY_FLOAT, 32, 1, 1, "y", &kSize, &kStride, y_[i], sizeof(float)}};
      calls[i].size = sizeof(assay_call), calls[i].op = "op", calls[i].contract = "some.contract", calls[i].kernel = kernel;
      calls[i].tensors = tensors[i].data(), calls[i].n_tensors = 2, calls[i].rank = first_ + int32_t(i), calls[i].world_size = 4;
      calls[i].message = message_, calls[i].message_bytes = sizeof message_;
    }
    const std::array<const assay_call*, 2> pointers = {&calls[0], &calls[1]};
    return library().run_group(group_, pointers.data(), 2);
  }
  float y(size_t i) const { return y_[i][0]; }
  const char* message() const { return message_; }

 private:
  static constexpr int64_t kSize = 1, kStride = 1;
  float* tensor(int32_t rank) { return static_cast<float*>(library().allocate_on(group_, rank, 64)) + rank; }

  int32_t first_;
  void* group_;
  float *x_[2], *y_[2];
  char message_[128] = "";
};

/// Makes three calls with this process's ranks and returns how many were right.
int score(const std::string& folder, int32_t first) {
  Part part(folder, first);
  int right = part.run("sums") == ASSAY_OK && part.y(0) == 10 + kFirst && part.y(1) == 10 + kFirst;
  right += part.run("marks") == ASSAY_OK;
  right += part.run("sums") == ASSAY_OK && part.y(0) == 20 + kFirst && part.y(1) == 20 + kFirst;
  return right;
}

std::string folder_for(const char* test) {
  const std::string folder = "/dev/shm/assay_device_test." + std::to_string(::getpid()) + "." + test;
  std::filesystem::create_directory(folder);
  return folder;
}

TEST(DeviceProcesses, NumbersAndAreasOfOthersAreReached) {
  const std::string folder = folder_for("reached");
  const pid_t other = ::fork();
  if (other == 0) ::_exit(score(folder, 2));
  EXPECT_EQ(score(folder, 0), 3);
  int ended = 0;
  ::waitpid(other, &ended, 0);
  EXPECT_EQ(WEXITSTATUS(ended), 3);
  std::filesystem::remove_all(folder);
}

TEST(DeviceProcesses, MemoryIsReleasedBehindTheOthersLastUse) {
  const std::string folder = folder_for("released");
  const auto used_for = [&](int32_t first, int milliseconds) {
    Part part(folder, first);
    const bool well = part.run("sums") == ASSAY_OK;
    ::usleep(unsigned(milliseconds) * 1000);
    return well;
  };
  const pid_t other = ::fork();
  if (other == 0) ::_exit(used_for(2, 200) ? 0 : 1);
  EXPECT_TRUE(used_for(0, 0));
  int ended = 0;
  ::waitpid(other, &ended, 0);
  EXPECT_EQ(WEXITSTATUS(ended), 0);
  EXPECT_EQ(FileRuntime::counts->open, 0);
  EXPECT_EQ(FileRuntime::counts->released_early, 0);
  std::filesystem::remove_all(folder);
}

TEST(DeviceProcesses, ARankThatDoesNotComeIsNamed) {
  const std::string folder = folder_for("alone");
  const pid_t other = ::fork();
  if (other == 0) {
    const assay_place place{sizeof place, 4, 2, 2, folder.c_str()};
    (void)library().join_group(&place);
    ::_exit(0);
  }
  int ended = 0;
  ::waitpid(other, &ended, 0);
  Part part(folder, 0);
  EXPECT_EQ(part.run("sums"), ASSAY_HUNG);
  EXPECT_STREQ(part.message(), "waited in vain for rank 2 to begin; 'y' of the waiting rank was not computed");
  std::filesystem::remove_all(folder);
}

TEST(DeviceProcesses, MemoryThatCannotBeExportedIsASkip) {
  const std::string folder = folder_for("kept");
  Part part(folder, 0);
  FileRuntime::exports = false;
  EXPECT_EQ(part.run("sums"), ASSAY_UNSUPPORTED);
  EXPECT_STREQ(part.message(), "memory for other processes cannot be exported: error 1");
  FileRuntime::exports = true;
  std::filesystem::remove_all(folder);
}

}  // namespace

}  // namespace assay_kernels::device_processes_test

namespace assay_kernels {

// Two rank groups of one process must have separate areas, whether their calls alternate or run at the same time
// (TensorRT-LLM 3988: two groups with one workspace hang).

namespace {

constexpr int kRanks = 4;
constexpr int64_t kElements = 1024;

/// A rank group of a library, and calls whose sums are exact in every order.
class Group {
 public:
  Group(const assay_library& library, const char* contract, const char* kernel)
      : library_(library), contract_(contract), kernel_(kernel), handle_(library.create_group(kRanks)) {}
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;
  ~Group() { library_.destroy_group(handle_); }

  /// Counts the elements that are not the sum over all ranks. Each input is `number` + rank + (position modulo 16) / 8.
  int64_t wrong(float number) {
    std::array<std::vector<float>, kRanks> x, y;
    std::deque<std::array<assay_tensor, 2>> tensors;
    std::array<assay_call, kRanks> calls{};
    std::array<const assay_call*, kRanks> pointers{};
    static const int64_t shape[] = {1, kElements}, strides[] = {kElements, 1};
    static const assay_param parameters[] = {{"warp", 32}};
    for (size_t r = 0; r < kRanks; ++r) {
      y[r].assign(size_t(kElements), -1.0f);
      for (int64_t i = 0; i < kElements; ++i) x[r].push_back(number + float(r) + float(i % 16) / 8);
      tensors.push_back(
          {assay_tensor{sizeof(assay_tensor), ASSAY_FLOAT, 32, 0, 2, "x", shape, strides, x[r].data(), kElements * 4},
           assay_tensor{sizeof(assay_tensor), ASSAY_FLOAT, 32, 1, 2, "y", shape, strides, y[r].data(), kElements * 4}});
      assay_call& call = calls[r];
      call.size = sizeof call, call.op = "all_reduce", call.contract = contract_, call.kernel = kernel_;
      call.tensors = tensors.back().data(), call.n_tensors = 2, call.params = parameters, call.n_params = 1;
      call.rank = int32_t(r), call.world_size = kRanks;
      pointers[r] = &call;
    }
    if (library_.run_group(handle_, pointers.data(), kRanks) != ASSAY_OK) return -1;
    int64_t count = 0;
    for (const std::vector<float>& of_rank : y)
      for (int64_t i = 0; i < kElements; ++i) count += of_rank[size_t(i)] != kRanks * (number + float(i % 16) / 8) + 6;
    return count;
  }

 private:
  const assay_library& library_;
  const char *contract_, *kernel_;
  void* handle_;
};

/// Counts the failing calls of two groups that are called in turn. One group gets fewer calls, so that the groups' call counters
/// differ.
int wrong_by_turns(const assay_library& library, const char* contract, const char* kernel) {
  Group one(library, contract, kernel), other(library, contract, kernel);
  int wrong = 0;
  for (int call = 0; call < 12; ++call) {
    wrong += one.wrong(float(call)) != 0;
    if (call % 3 != 1) wrong += other.wrong(float(100 + call)) != 0;
  }
  return wrong;
}

/// Counts the failing calls of two groups that two threads call at the same time.
int wrong_at_once(const assay_library& library, const char* contract, const char* kernel) {
  const auto calls = [&](float first) {
    Group group(library, contract, kernel);
    int wrong = 0;
    for (int call = 0; call < 40; ++call) wrong += group.wrong(first + float(call)) != 0;
    return wrong;
  };
  int of_other = 0;
  std::thread other([&] { of_other = calls(1000); });
  const int wrong = calls(0);
  other.join();
  return wrong + of_other;
}

class RankGroups : public testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(RankGroups, TakeTurns) {
  EXPECT_EQ(wrong_by_turns(open_library(ASSAY_CPU_LIBRARY), GetParam().first, GetParam().second), 0);
}

TEST_P(RankGroups, AreUsedAtOnce) {
  EXPECT_EQ(wrong_at_once(open_library(ASSAY_CPU_LIBRARY), GetParam().first, GetParam().second), 0);
}

TEST(OneWorkspaceOfAllGroups, IsSeenEitherWay) {
  const assay_library& shared = open_library(ASSAY_ONE_WORKSPACE_PROBE);
  EXPECT_GT(wrong_by_turns(shared, "flashinfer.all_reduce_oneshot", "all_reduce.lamport"), 0);
  EXPECT_GT(wrong_at_once(shared, "flashinfer.all_reduce_oneshot", "all_reduce.lamport"), 0);
}

INSTANTIATE_TEST_SUITE_P(Protocols, RankGroups,
                         testing::Values(std::pair("vllm.all_reduce_2stage", "all_reduce.two_shot"),
                                         std::pair("sglang.all_reduce_v2_push", "all_reduce.lamport"),
                                         std::pair("flashinfer.all_reduce_oneshot", "all_reduce.lamport")),
                         [](const auto& protocol) {
                           std::string name = protocol.param.first;
                           for (char& letter : name)
                             if (letter == '.') letter = '_';
                           return name;
                         });

}  // namespace

}  // namespace assay_kernels
