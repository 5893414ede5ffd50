#include "harness/backend/shared_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "harness/backend/worker_files.h"

namespace assay {
namespace {

[[noreturn]] void refuse(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

}  // namespace

SharedMemory::SharedMemory() {
  const int file = ::memfd_create("assay-tensors", MFD_CLOEXEC);
  if (file < 0) refuse("memfd_create");
  file_ = beyond_worker_files(file, "shared memory");
}

SharedMemory::~SharedMemory() {
  if (data_ != nullptr) ::munmap(data_, mapped_);
  ::close(file_);
}

void SharedMemory::shrink_to(size_t bytes) {
  if (mapped_ <= bytes) return;
  ::munmap(data_, mapped_);
  data_ = nullptr;
  mapped_ = 0;
  if (::ftruncate(file_, 0) != 0) refuse("shared memory");
}

void SharedMemory::reserve(size_t bytes) {
  if (bytes <= mapped_) return;
  struct stat status;
  if (::fstat(file_, &status) != 0) refuse("shared memory");
  const size_t size = std::max({bytes, size_t(status.st_size), 2 * mapped_});
  if (size > size_t(status.st_size) && ::ftruncate(file_, off_t(size)) != 0) refuse("shared memory");
  if (data_ != nullptr) ::munmap(data_, mapped_);
  data_ = nullptr;
  void* mapping = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file_, 0);
  if (mapping == MAP_FAILED) refuse("shared memory");
  data_ = static_cast<std::byte*>(mapping);
  mapped_ = size;
}

}  // namespace assay
