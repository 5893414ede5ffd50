#include "harness/backend/guarded_pages.h"

#include <sys/mman.h>
#include <unistd.h>

#include <limits>
#include <utility>

namespace assay {
namespace {

size_t page_bytes() {
  static const auto bytes = size_t(::sysconf(_SC_PAGESIZE));
  return bytes;
}

}  // namespace

GuardedPages::GuardedPages(GuardedPages&& other) noexcept
    : mapping_(std::exchange(other.mapping_, nullptr)),
      end_(other.end_),
      mapped_(other.mapped_),
      capacity_(other.capacity_),
      writable_(other.writable_) {}

GuardedPages::~GuardedPages() { release(); }

void GuardedPages::release() {
  if (mapping_ != nullptr) ::munmap(mapping_, mapped_);
  mapping_ = nullptr;
  capacity_ = writable_ = 0;
}

bool GuardedPages::hold(size_t bytes) {
  const size_t page = page_bytes();
  if (bytes > std::numeric_limits<ptrdiff_t>::max() - 2 * kFar - page) return false;
  const size_t needed = (bytes + page - 1) / page * page;
  if (mapping_ == nullptr || needed > capacity_) {
    release();
    void* const mapping = ::mmap(nullptr, needed + 2 * kFar, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapping == MAP_FAILED) return false;
    mapping_ = static_cast<std::byte*>(mapping);
    mapped_ = needed + 2 * kFar;
    capacity_ = needed;
    end_ = mapping_ + kFar + needed;
  }
  if (needed > writable_ && ::mprotect(end_ - needed, needed - writable_, PROT_READ | PROT_WRITE) != 0) return false;
  if (needed < writable_ && ::mprotect(end_ - writable_, writable_ - needed, PROT_NONE) != 0) return false;
  writable_ = needed;
  return true;
}

}  // namespace assay
