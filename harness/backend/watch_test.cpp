// Tests that find_watch() finds a checker in the folders and reports an unusable one. Without a checker, sweeps are slower.
#include "harness/backend/watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "harness/backend/worker.h"
#include "harness/testing/program.h"

namespace assay {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class FindWatch : public ::testing::Test {
 protected:
  FindWatch() { fs::create_directories(folder_); }
  ~FindWatch() override { fs::remove_all(folder_); }

  void offer(const std::string& vendor, const std::string& library) {
    fs::copy_file(testing::path_of_library(library), folder_ / ("assay_watch_" + vendor + ".so"));
  }
  FoundWatch found(const std::string& arch) const {
    Library tested = open_library(testing::path_of_library("device_memory"));
    tested.info.arch = arch;
    return find_watch(tested, {folder_ / "absent", folder_});
  }

  const fs::path folder_ = fs::path(::testing::TempDir()) / ("watches" + std::to_string(::getpid()));
};

TEST_F(FindWatch, TakesTheOneForTheSameDevice) {
  offer("a", "device_memory");
  const FoundWatch watch = found("twin");
  EXPECT_NE(watch.watch, nullptr);
  EXPECT_THAT(watch.why_none, IsEmpty());
}

TEST_F(FindWatch, NamesEachThatCannotBeUsed) {
  offer("other", "device_memory");
  offer("lost", "no_symbol");
  offer("nowhere", "no_device");
  std::ofstream(folder_ / "assay_watch_torn.so") << "not a shared object";
  const FoundWatch watch = found("sm_0");
  EXPECT_EQ(watch.watch, nullptr);
  EXPECT_THAT(watch.why_none,
              AllOf(HasSubstr("sweeps over all codes are checked on the host"), HasSubstr("assay_watch_other.so is for twin"),
                    HasSubstr("assay_watch_lost.so: no symbol assay_get_library"), HasSubstr("assay_watch_nowhere.so: no device"),
                    HasSubstr("assay_watch_torn.so: cannot be loaded")));
}

TEST_F(FindWatch, SaysNothingWhereNoneIsOffered) {
  std::ofstream(folder_ / "assay_watch.txt") << "no library";
  offer("cpu", "toy_library");  // works on host memory, as kernels/watch does in tests
  const FoundWatch watch = found("sm_0");
  EXPECT_EQ(watch.watch, nullptr);
  EXPECT_THAT(watch.why_none, IsEmpty());
}

TEST_F(FindWatch, ALibraryOnHostMemoryNeedsNone) {
  offer("other", "device_memory");
  const FoundWatch watch = find_watch(open_library(testing::path_of_library("toy_library")), {folder_});
  EXPECT_EQ(watch.watch, nullptr);
  EXPECT_THAT(watch.why_none, IsEmpty());
}

TEST_F(FindWatch, ItsTroubleIsANoteOfTheLibrary) {
  offer("lost", "no_symbol");
  const Backend backend = open_in_process(testing::path_of_library("device_memory"), "twin", {folder_});
  EXPECT_THAT(backend.library.notes, ::testing::ElementsAre(HasSubstr("assay_watch_lost.so: no symbol")));
}

}  // namespace
}  // namespace assay
