// Host memory between pages that nobody may touch.
#pragma once

#include <cstddef>

namespace assay {

/// Writable memory with kFar bytes on either side that end the process when they are read or written. Grows, and gives its pages
/// back when it goes.
class GuardedPages {
 public:
  static constexpr size_t kFar = size_t{16} << 20;  ///< costs addresses, no memory

  GuardedPages() = default;
  GuardedPages(GuardedPages&& other) noexcept;
  GuardedPages& operator=(GuardedPages&&) = delete;
  ~GuardedPages();

  /// Makes whole pages writable, at least so many bytes, and all beside them untouchable. What they held is lost if they move.
  /// False if the system refuses.
  bool hold(size_t bytes);

  std::byte* begin() const { return end_ - writable_; }
  std::byte* end() const { return end_; }
  size_t capacity() const { return capacity_; }

  /// From the first byte of the mapping to behind its last, untouchable pages among them.
  std::byte* low() const { return mapping_; }
  std::byte* high() const { return mapping_ + mapped_; }

 private:
  void release();

  std::byte *mapping_ = nullptr, *end_ = nullptr;  ///< the writable pages end where they end, and begin where they must
  size_t mapped_ = 0, capacity_ = 0, writable_ = 0;
};

}  // namespace assay
