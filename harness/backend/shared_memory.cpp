#include "harness/backend/shared_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>

#include "harness/backend/worker_files.h"

namespace assay {
namespace {

[[noreturn]] void refuse(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

}  // namespace

SharedMemory::SharedMemory() {
  const int file = ::memfd_create("assay-tensors", MFD_CLOEXEC);
  if (file < 0) refuse("memory for tensors of a worker (memfd_create)");
  file_ = beyond_worker_files(file, "memory for tensors of a worker");
}

SharedMemory::~SharedMemory() { ::close(file_); }

void SharedMemory::shrink_to(size_t bytes) {
  struct stat status;
  if (::fstat(file_, &status) == 0 && size_t(status.st_size) > bytes && ::ftruncate(file_, 0) != 0) refuse("memory for tensors of a worker");
}

void SharedMemory::write(size_t at, const std::byte* bytes, size_t count) {
  while (count > 0) {
    const ssize_t written = ::pwrite(file_, bytes, count, off_t(at));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) refuse("cannot write tensors for a worker");
    at += size_t(written), bytes += written, count -= size_t(written);
  }
}

void SharedMemory::read(size_t at, std::byte* bytes, size_t count) const {
  while (count > 0) {
    const ssize_t got = ::pread(file_, bytes, count, off_t(at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) refuse("cannot read tensors of a worker");
    if (got == 0) throw std::runtime_error("the shared memory of its tensors was truncated");
    at += size_t(got), bytes += got, count -= size_t(got);
  }
}

}  // namespace assay
