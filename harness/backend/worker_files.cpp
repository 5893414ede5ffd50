#include "harness/backend/worker_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

namespace assay {

int beyond_worker_files(int file, const char* what) {
  constexpr int kLeast = 16;
  const int moved = ::fcntl(file, F_DUPFD_CLOEXEC, kLeast);
  if (moved < 0) {
    // EINVAL: the limit of open files is below the requested number.
    const int error = errno == EINVAL ? EMFILE : errno;
    throw std::system_error(error, std::generic_category(), std::string(what) + (error == EMFILE ? " (raise ulimit -n)" : ""));
  }
  ::close(file);
  return moved;
}

}  // namespace assay
