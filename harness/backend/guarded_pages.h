// Host memory between inaccessible pages.
#pragma once

#include <cstddef>

namespace assay {

/// Writable memory with kFar inaccessible bytes on either side: an access there ends the process. Grows on request; the
/// destructor unmaps it.
class GuardedPages {
 public:
  static constexpr size_t kFar = size_t{16} << 20;  ///< takes address space, no memory

  GuardedPages() = default;
  GuardedPages(GuardedPages&& other) noexcept;
  GuardedPages& operator=(GuardedPages&&) = delete;
  ~GuardedPages();

  /// Makes at least `bytes` bytes writable, in whole pages, and everything around them inaccessible. If the pages move, their
  /// content is lost. Returns false if the system refuses.
  bool hold(size_t bytes);

  std::byte* begin() const { return end_ - writable_; }
  std::byte* end() const { return end_; }
  size_t capacity() const { return capacity_; }

  /// The whole mapping, inaccessible pages included.
  std::byte* low() const { return mapping_; }
  std::byte* high() const { return mapping_ + mapped_; }

 private:
  void release();

  std::byte *mapping_ = nullptr, *end_ = nullptr;  ///< start of the mapping; fixed end of the writable pages
  size_t mapped_ = 0, capacity_ = 0, writable_ = 0;
};

}  // namespace assay
