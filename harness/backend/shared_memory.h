// Memory that two processes see: tensors reach the other side of the process boundary without being sent.
#pragma once

#include <cstddef>

namespace assay {

/// An anonymous file in memory, mapped. Both sides hold one; a side that needs more than it has mapped maps it anew.
class SharedMemory {
 public:
  /// Makes a new one, or takes over a file descriptor that was inherited. Throws std::system_error.
  SharedMemory();
  explicit SharedMemory(int file) : file_(file) {}
  SharedMemory(const SharedMemory&) = delete;
  ~SharedMemory();

  int file() const { return file_; }

  /// Makes the file and the mapping at least so big. Throws std::system_error, e.g. if memory is short.
  void reserve(size_t bytes);
  std::byte* data() const { return data_; }

  /// Gives the memory back if there is more of it than that. The other side's mapping holds zeros until the file grows again.
  void shrink_to(size_t bytes);

 private:
  int file_;
  std::byte* data_ = nullptr;
  size_t mapped_ = 0;
};

}  // namespace assay
