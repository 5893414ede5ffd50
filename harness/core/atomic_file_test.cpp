// Files that are whole or not there, written among threads.
#include "harness/core/atomic_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <thread>

namespace assay {
namespace {

namespace fs = std::filesystem;

struct Folder {
  fs::path path = fs::path(fs::is_directory("/dev/shm") ? "/dev/shm" : ::testing::TempDir()) / ("atomic" + std::to_string(::getpid()));
  Folder() { fs::create_directories(path); }
  ~Folder() { fs::remove_all(path); }
};

mode_t rights_of(const fs::path& file) {
  struct stat status {};
  EXPECT_EQ(::stat(file.c_str(), &status), 0);
  return status.st_mode & 0777;
}

TEST(AtomicFile, FilesOfOtherThreadsKeepTheirRights) {
  const Folder folder;
  const mode_t before = ::umask(027);
  std::atomic<bool> done = false;
  std::thread writer([&] {
    for (int i = 0; i < 4000; ++i) write_atomically(folder.path / "report.csv", "text");
    done = true;
  });
  int wrong = 0;
  for (int i = 0; !done; ++i) {
    const fs::path other = folder.path / "other";
    ::close(::open(other.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0666));
    wrong += rights_of(other) != 0640;
    ::unlink(other.c_str());
  }
  writer.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(rights_of(folder.path / "report.csv"), mode_t{0640});
  ::umask(before);
}

TEST(AtomicFile, NothingElseStaysInTheFolder) {
  const Folder folder;
  write_atomically(folder.path / "a" / "b", "one");
  write_atomically(folder.path / "a" / "b", "two");
  EXPECT_THROW(write_atomically(folder.path / "a" / "b" / "c", "three"), std::runtime_error);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path / "a"), fs::directory_iterator()), 1);
  EXPECT_EQ(fs::file_size(folder.path / "a" / "b"), 3u);
}

}  // namespace
}  // namespace assay
