// Ranks that are processes on a device: two processes of this test, and a device whose memory is files that both can map.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <string>

#include "assay/plugin/library.hpp"
#include "kernels/testing/file_runtime.h"

namespace assay_kernels::device_processes_test {
namespace {

using assay::plugin::AreaRequest;
using assay::plugin::Call;
using assay::plugin::Ranks;
using Row = assay::plugin::KernelOf<Call>;

constexpr unsigned char kFirst = 7;  ///< what an area holds at first, behind its head

/// y = the sum of all x and what is in the rank's own area.
void sums(const Call&, const Ranks& ranks, int first, int count) {
  for (int rank = first; rank < first + count; ++rank) {
    const auto y = Call(*ranks.calls[rank]).out<float>("y");
    auto* const own = static_cast<unsigned char*>(ranks.areas[rank]) + assay::plugin::kAreaHead;
    for (int64_t i = 0; i < y.elements(); ++i) y.data[i] = own[0];
    for (int from = 0; from < ranks.size; ++from)
      for (int64_t i = 0; i < y.elements(); ++i) y.data[i] += Call(*ranks.calls[from]).in<float>("x").data[i];
  }
}
/// Each rank adds its number to what is in the areas of all.
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

/// One process's part of a group of four ranks. Numbers of rank r stand r words behind an aligned address.
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

/// How far a part comes: 3 calls, and what they return.
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
  EXPECT_STREQ(part.message(), "waited in vain for rank 2 to begin; its 'y' is not made");
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
