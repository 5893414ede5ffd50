#include "harness/backend/worker_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace assay {

int beyond_worker_files(int file, const char* what) {
  constexpr int kLeast = 16;
  const int moved = ::fcntl(file, F_DUPFD_CLOEXEC, kLeast);
  if (moved < 0) throw std::system_error(errno, std::generic_category(), what);
  ::close(file);
  return moved;
}

}  // namespace assay
