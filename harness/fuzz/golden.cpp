// Any bytes must be a golden file or give a std::runtime_error. The reader takes a path, so the bytes are put into an in-memory
// file.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <stdexcept>
#include <string>

#include "harness/golden/golden.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const int file = ::memfd_create("golden", 0);
  static const std::string path = "/proc/self/fd/" + std::to_string(file);
  if (::ftruncate(file, 0) != 0 || ::pwrite(file, data, size, 0) != ssize_t(size)) std::abort();
  try {
    (void)assay::read_golden(path);
  } catch (const std::runtime_error&) {
  }
  return 0;
}
