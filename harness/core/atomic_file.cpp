#include "harness/core/atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <stdexcept>

namespace assay {
namespace {

[[noreturn]] void refuse(const std::string& path, int error) {
  throw std::runtime_error("cannot write " + path + ": " + std::strerror(error));
}

/// A new file of a name that nobody else takes, with the rights that the process gives its files. The system applies the umask: to ask
/// for it is to change it, for all threads.
int open_beside(const std::string& path, std::string& name) {
  static std::atomic<uint64_t> count = 0;
  for (;;) {
    name = path + ".";
    uint64_t number = uint64_t(::getpid()) * 1000003 + ++count;
    for (int i = 0; i < 6; ++i, number /= 36) name += "0123456789abcdefghijklmnopqrstuvwxyz"[number % 36];
    const int file = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file >= 0 || errno != EEXIST) return file;
  }
}

bool write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    text.remove_prefix(size_t(written));
  }
  return ::fsync(file) == 0;
}

/// So that the new name survives a crash too. Some file systems cannot; they still have the file.
void flush_folder(const std::filesystem::path& folder) {
  const int file = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return;
  (void)::fsync(file);
  ::close(file);
}

}  // namespace

void write_atomically(const std::string& path, std::string_view text) {
  const std::filesystem::path target(path);
  const std::filesystem::path folder = target.has_parent_path() ? target.parent_path() : std::filesystem::path(".");
  std::error_code made;
  std::filesystem::create_directories(folder, made);
  if (made) refuse(path, made.value());

  std::string temporary;
  const int file = open_beside(path, temporary);
  if (file < 0) refuse(path, errno);
  const bool written = write_all(file, text);
  const int error = errno;
  ::close(file);
  if (!written || ::rename(temporary.c_str(), path.c_str()) != 0) {
    const int reason = written ? errno : error;
    ::unlink(temporary.c_str());
    refuse(path, reason);
  }
  flush_folder(folder);
}

}  // namespace assay
