#include "reference/table/text_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <mutex>

#include "reference/table/table.h"

namespace assay {
namespace {

/// Whether the path names an open descriptor of this process.
bool names_descriptor(const std::string& path) {
  if (path == "-" || path == "/dev/stdin") return true;
  for (const std::string folder : {"/dev/fd/", "/proc/self/fd/"})
    if (path.starts_with(folder) && path.find_first_not_of("0123456789", folder.size()) == path.npos) return true;
  return false;
}

struct Descriptor {
  int number;
  ~Descriptor() {
    if (number >= 0) ::close(number);
  }
};

std::string read_once(const std::string& path, bool is_open) {
  const auto refuse = [&](const char* problem) { return TableError(path, 0, 0, "", problem); };
  // O_NONBLOCK: opening a named pipe would wait for its writer
  const Descriptor file{path == "-" ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                                    : ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | (is_open ? 0 : O_NONBLOCK))};
  struct stat status {};
  if (file.number < 0 || ::fstat(file.number, &status) != 0) throw refuse("cannot be read");
  const bool is_regular = S_ISREG(status.st_mode);
  if (!is_regular && !is_open) throw refuse("is not a regular file; a pipe is read as - or /dev/fd/N");
  constexpr const char* kTooLarge = "is larger than 64 MiB: this is no file of Assay";
  if (is_regular && size_t(status.st_size) > kMostFileBytes) throw refuse(kTooLarge);
  constexpr size_t kPiece = size_t{1} << 16;
  std::string text;
  if (is_regular) text.reserve(size_t(status.st_size) + kPiece);
  for (;;) {
    const size_t had = text.size();
    text.resize(had + kPiece);
    const ssize_t got = ::read(file.number, text.data() + had, kPiece);
    text.resize(had + (got > 0 ? size_t(got) : 0));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw refuse("cannot be read");
    if (got == 0) return text;
    if (text.size() > kMostFileBytes) throw refuse(kTooLarge);
  }
}

}  // namespace

std::string read_text(const std::string& path) {
  if (!names_descriptor(path)) return read_once(path, false);
  // A pipe can be read only once, but a table may be read for its rows and again for its digest.
  static std::mutex mutex;
  static std::map<std::string, std::string> kept;
  const std::lock_guard lock(mutex);
  if (const auto found = kept.find(path); found != kept.end()) return found->second;
  return kept[path] = read_once(path, true);
}

}  // namespace assay
