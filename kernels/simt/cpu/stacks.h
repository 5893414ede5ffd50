// The stacks that the threads of a block run on.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <new>

#ifdef ASSAY_SIMT_ASAN
#include <sanitizer/asan_interface.h>
#endif

namespace simt::cpu {

/// Stacks of a block's threads, each with a page below that must not be touched.
class Stacks {
 public:
  explicit Stacks(int threads) : bytes_(size_t(threads) * kStride), data_(map(bytes_)) {
    const size_t page = size_t(sysconf(_SC_PAGESIZE));
    for (int t = 0; t < threads; ++t) mprotect(data_ + size_t(t) * kStride, page, PROT_NONE);
  }
  ~Stacks() {
#ifdef ASSAY_SIMT_ASAN
    __asan_unpoison_memory_region(data_, bytes_);  // frames of fibers that never returned
#endif
    munmap(data_, bytes_);
  }
  Stacks(const Stacks&) = delete;
  Stacks& operator=(const Stacks&) = delete;

  std::byte* bottom(int thread) const { return data_ + size_t(thread) * kStride + size_t(sysconf(_SC_PAGESIZE)); }
  /// Equal tops would share cache sets, so they are staggered over a page.
  size_t size(int thread) const { return kStride - size_t(sysconf(_SC_PAGESIZE)) - size_t(thread) * 320 % 4096; }

 private:
  static constexpr size_t kStride = 128 * 1024;
  static std::byte* map(size_t bytes) {
    void* data = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (data == MAP_FAILED) throw std::bad_alloc();
    return static_cast<std::byte*>(data);
  }
  size_t bytes_;
  std::byte* data_;
};

}  // namespace simt::cpu
