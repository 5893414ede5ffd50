// Files are written completely or not at all, also with several threads; devices and pipes are written to in place.
#include "harness/text/atomic_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <thread>

#include "reference/table/table.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

class AtomicFile : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(fs::is_directory("/dev/shm") ? "/dev/shm" : ::testing::TempDir()) / ("assay_files_" + std::to_string(::getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  size_t files() const { return size_t(std::distance(fs::directory_iterator(folder_), fs::directory_iterator())); }
  fs::path folder_;
};

mode_t rights_of(const fs::path& file) {
  struct stat status {};
  EXPECT_EQ(::stat(file.c_str(), &status), 0);
  return status.st_mode & 0777;
}

TEST_F(AtomicFile, ReplacesTheOldFileAndMakesFolders) {
  write_atomically(path("a"), "old");
  write_atomically(path("a"), "new");
  write_atomically(path("b/c/d"), "deep");
  EXPECT_EQ(read_text(path("a")), "new");
  EXPECT_EQ(read_text(path("b/c/d")), "deep");
  EXPECT_EQ(files(), 2u) << "nothing temporary is left";
}

TEST_F(AtomicFile, ALinkStaysALink) {
  write_atomically(path("target"), "old");
  fs::create_symlink("target", path("link"));
  fs::create_symlink("nothing yet", path("dangling"));
  write_atomically(path("link"), "new");
  write_atomically(path("dangling"), "made");
  EXPECT_TRUE(fs::is_symlink(path("link")));
  EXPECT_TRUE(fs::is_symlink(path("dangling")));
  EXPECT_EQ(read_text(path("target")), "new");
  EXPECT_EQ(read_text(path("nothing yet")), "made");
}

TEST_F(AtomicFile, APipeIsWrittenToAndNotReplaced) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  require_writable(path("pipe"));
  std::string got;
  std::thread reader([&] {
    FILE* file = std::fopen(path("pipe").c_str(), "r");
    std::array<char, 64> chunk{};
    got.assign(chunk.data(), std::fread(chunk.data(), 1, chunk.size(), file));
    std::fclose(file);
  });
  write_atomically(path("pipe"), "through it");
  reader.join();
  EXPECT_EQ(got, "through it");
  EXPECT_TRUE(fs::is_fifo(path("pipe")));
}

TEST_F(AtomicFile, ADeviceIsWrittenToAndItsWordIsTold) {
  write_atomically("/dev/null", "text");
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  fs::create_symlink("/dev/full", path("full"));
  EXPECT_NO_THROW(require_writable(path("full")));
  EXPECT_THROW(write_atomically(path("full"), "text"), std::system_error);
  EXPECT_TRUE(fs::is_character_file("/dev/full"));
}

TEST_F(AtomicFile, WhatCannotBeWrittenIsRefusedBefore) {
  EXPECT_THROW(require_writable("/dev/null/r.csv"), std::system_error);
  EXPECT_THROW(require_writable(folder_.string()), std::system_error) << "a folder";
  fs::create_symlink("round", path("round"));
  EXPECT_THROW(require_writable(path("round")), std::system_error);
  write_atomically(path("kept"), "kept");
  require_writable(path("kept"));
  require_writable(path("new"));
  EXPECT_EQ(read_text(path("kept")), "kept");
  EXPECT_FALSE(fs::exists(path("new")));
  try {
    require_writable("/dev/null/r.csv");
  } catch (const std::system_error& error) {
    EXPECT_STREQ(error.what(), "cannot write /dev/null/r.csv: Not a directory");
  }
}

TEST_F(AtomicFile, FilesOfOtherThreadsKeepTheirRights) {
  const mode_t before = ::umask(027);
  std::atomic<bool> done = false;
  std::thread writer([&] {
    for (int i = 0; i < 4000; ++i) write_atomically(folder_ / "report.csv", "text");
    done = true;
  });
  int wrong = 0;
  for (int i = 0; !done; ++i) {
    const fs::path other = folder_ / "other";
    ::close(::open(other.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0666));
    wrong += rights_of(other) != 0640;
    ::unlink(other.c_str());
  }
  writer.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(rights_of(folder_ / "report.csv"), mode_t{0640});
  ::umask(before);
}

TEST_F(AtomicFile, NothingElseStaysInTheFolder) {
  write_atomically(folder_ / "a" / "b", "one");
  write_atomically(folder_ / "a" / "b", "two");
  EXPECT_THROW(write_atomically(folder_ / "a" / "b" / "c", "three"), std::runtime_error);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "a"), fs::directory_iterator()), 1);
  EXPECT_EQ(fs::file_size(folder_ / "a" / "b"), 3u);
}

}  // namespace
}  // namespace assay
