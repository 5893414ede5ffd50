#include "harness/text/text_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <system_error>

#include "harness/text/messages.h"
#include "reference/table/table.h"

namespace assay {
namespace {

// Atomic file writes: after a crash a file has either its old or its new content.

namespace fs = std::filesystem;

[[noreturn]] void refuse(const std::string& path, int error) {
  throw std::system_error(error, std::generic_category(), "cannot write " + path);
}

bool write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    text.remove_prefix(size_t(written));
  }
  return true;
}

/// Flushes the folder, so that the new name survives a crash. If the file system refuses, a crash may bring back the old content.
void flush_folder(const fs::path& folder) {
  const int file = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return;
  (void)::fsync(file);
  ::close(file);
}

fs::path folder_of(const fs::path& file) { return file.has_parent_path() ? file.parent_path() : fs::path("."); }

/// The file that a path refers to, and the way to write it.
struct Target {
  std::string file;        ///< after following all links
  bool replaced = true;    ///< whether a new file replaces it; otherwise it is written in place
  int descriptor = -1;     ///< the descriptor of this process that the path names, or -1
};

/// The number N of /proc/self/fd/N or /dev/fd/N; -1 for other paths.
int named_descriptor(const std::string& file) {
  for (const char* folder : {"/proc/self/fd/", "/dev/fd/"}) {
    if (!file.starts_with(folder)) continue;
    const std::string number = file.substr(std::string_view(folder).size());
    if (!number.empty() && number.size() < 8 && number.find_first_not_of("0123456789") == std::string::npos)
      return std::atoi(number.c_str());
  }
  return -1;
}

Target target_of(const std::string& path) {
  fs::path file = path;
  constexpr int kMostLinks = 40;
  for (int links = 0; links < kMostLinks; ++links) {
    if (const int descriptor = named_descriptor(file.string()); descriptor >= 0) return {file.string(), false, descriptor};
    struct stat status {};
    if (::lstat(file.c_str(), &status) != 0) return {file.string()};  // the file is new; any other error is reported by open()
    if (S_ISDIR(status.st_mode)) refuse(path, EISDIR);
    if (!S_ISLNK(status.st_mode)) return {file.string(), bool(S_ISREG(status.st_mode))};
    std::error_code unread;
    const fs::path next = fs::read_symlink(file, unread);
    if (unread) refuse(path, unread.value());
    file = next.is_absolute() ? next : folder_of(file) / next;
  }
  refuse(path, ELOOP);
}

void make_folder_of(const std::string& path, const Target& target) {
  std::error_code unmade;
  fs::create_directories(folder_of(target.file), unmade);
  if (unmade) refuse(path, unmade.value());
}

/// Opens an unnamed file in the target's folder (O_TMPFILE), so that nothing is left if the process is killed. Returns -1 if the
/// file system does not support it.
int open_unnamed(const Target& target) {
  return ::open(folder_of(target.file).c_str(), O_WRONLY | O_TMPFILE | O_CLOEXEC, 0666);
}

bool give_name(int file, const std::string& name) {
  return ::linkat(AT_FDCWD, ("/proc/self/fd/" + std::to_string(file)).c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) == 0;
}

/// A unique name beside the target.
std::string temporary_name(const Target& target) {
  static std::atomic<uint64_t> count = 0;
  std::string name = target.file + ".";
  uint64_t number = uint64_t(::getpid()) * 1000003 + ++count;
  for (int i = 0; i < 6; ++i, number /= 36) name += "0123456789abcdefghijklmnopqrstuvwxyz"[number % 36];
  return name;
}

/// Creates an empty file with a unique name beside the target, with the default permissions. open() applies the umask; this
/// process cannot read the umask without changing it for all threads.
int open_beside(const std::string& path, const Target& target, std::string& temporary) {
  for (;;) {
    temporary = temporary_name(target);
    const int file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file >= 0) return file;
    if (errno != EEXIST) refuse(path, errno);
  }
}

void write_through(const std::string& path, const Target& target, std::string_view text) {
  std::fflush(stdout);  // if the path is /dev/stdout, text that was printed earlier must come first
  const int file = target.descriptor >= 0 ? ::fcntl(target.descriptor, F_DUPFD_CLOEXEC, 3)
                                          : ::open(target.file.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  if (file < 0) refuse(path, errno);
  const bool written = write_all(file, text);
  const int error = errno;
  if (::close(file) != 0 && written) refuse(path, errno);
  if (!written) refuse(path, error);
}

}  // namespace

void write_atomically(const std::string& path, std::string_view text) {
  const Target target = target_of(path);
  if (!target.replaced) return write_through(path, target, text);
  make_folder_of(path, target);
  std::string temporary;
  const int unnamed = open_unnamed(target);
  const int file = unnamed >= 0 ? unnamed : open_beside(path, target, temporary);
  bool written = write_all(file, text) && ::fsync(file) == 0;
  int error = errno;
  if (written && unnamed >= 0) {
    if (give_name(file, target.file)) {  // linkat() fails if the target exists; then the unnamed file first gets a temporary name
      ::close(file);
      return flush_folder(folder_of(target.file));
    }
    while (written && temporary.empty()) {
      const std::string name = temporary_name(target);
      if (give_name(file, name)) temporary = name;
      else if (errno != EEXIST) written = false, error = errno;
    }
  }
  if (::close(file) != 0 && written) written = false, error = errno;
  if (written && ::rename(temporary.c_str(), target.file.c_str()) != 0) written = false, error = errno;
  if (!written) {
    if (!temporary.empty()) ::unlink(temporary.c_str());
    refuse(path, error);
  }
  flush_folder(folder_of(target.file));
}

void require_writable(const std::string& path) {
  const Target target = target_of(path);
  if (target.descriptor >= 0) {
    if (::fcntl(target.descriptor, F_GETFD) < 0) refuse(path, errno);
  } else if (!target.replaced) {
    if (::access(target.file.c_str(), W_OK) != 0) refuse(path, errno);
  } else {
    make_folder_of(path, target);
    if (const int unnamed = open_unnamed(target); unnamed >= 0) {
      ::close(unnamed);
      return;
    }
    std::string temporary;
    ::close(open_beside(path, target, temporary));
    ::unlink(temporary.c_str());
  }
}

namespace {

// A generated section of a text file: the lines between <!-- begin: NAME --> and <!-- end: NAME -->.

struct Parts {
  std::string before, inside, after;  ///< `before` and `after` include the begin and end marks
};

Parts read_parts(const std::string& file, const std::string& name) {
  const std::string all = read_text(file), begin = "<!-- begin: " + name + " -->\n", end = "<!-- end: " + name + " -->";
  const size_t first = all.find(begin);
  const size_t last = first == std::string::npos ? first : all.find(end, first);
  if (last == std::string::npos)
    throw UsageError(file + " has no lines '<!-- begin: " + name + " -->' and, after it, '" + end + "'");
  const size_t start = first + begin.size();
  return {all.substr(0, start), all.substr(start, last - start), all.substr(last)};
}

}  // namespace

void require_section(const std::string& file, const std::string& name) { (void)read_parts(file, name); }

std::string with_section(const std::string& file, const std::string& name, const std::string& text) {
  const Parts parts = read_parts(file, name);
  return parts.before + text + parts.after;
}

bool write_section(const std::string& file, const std::string& name, const std::string& text) {
  const Parts parts = read_parts(file, name);
  if (parts.inside == text) return false;
  write_atomically(file, parts.before + text + parts.after);
  return true;
}

std::string section_difference(const std::string& file, const std::string& name, const std::string& text) {
  const Parts parts = read_parts(file, name);
  const std::optional<LineDifference> found = first_difference(parts.inside, text);
  if (!found) return {};
  const auto line = std::count(parts.before.begin(), parts.before.end(), '\n') + found->line;
  return file + ":" + std::to_string(line) + ": has '" + found->a + "' and should have '" + found->b + "'";
}

// The first difference between two texts.

std::optional<LineDifference> first_difference(const std::string& a, const std::string& b) {
  if (a == b) return std::nullopt;
  std::istringstream lines_of_a(a), lines_of_b(b);
  for (int64_t line = 1;; ++line) {
    LineDifference at{line, {}, {}};
    const bool more_a = bool(std::getline(lines_of_a, at.a)), more_b = bool(std::getline(lines_of_b, at.b));
    if (!more_a || !more_b || at.a != at.b) return at;
  }
}

// XXH3 of several byte ranges in sequence.

Digest::Digest() : state_(XXH3_createState()) { XXH3_64bits_reset(state_.get()); }

void Digest::add(const void* bytes, size_t size) { XXH3_64bits_update(state_.get(), bytes, size); }

uint64_t Digest::value() const { return XXH3_64bits_digest(state_.get()); }

std::string Digest::text() const {
  char hexadecimal[17];
  std::snprintf(hexadecimal, sizeof hexadecimal, "%016llx", static_cast<unsigned long long>(value()));
  return hexadecimal;
}

std::string digest_text(std::string_view bytes) {
  Digest digest;
  digest.add(bytes.data(), bytes.size());
  return digest.text();
}

void Digest::Free::operator()(XXH3_state_s* state) const { XXH3_freeState(state); }

}  // namespace assay
