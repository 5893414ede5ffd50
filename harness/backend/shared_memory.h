// Memory that two processes see: tensors reach the other side of the process boundary without being sent.
#pragma once

#include <cstddef>

namespace assay {

/// An anonymous file in memory, that both sides hold. It is read and written by calls that can fail, and never mapped: a kernel has its
/// descriptor too, and could make a mapping of the harness end it by making the file shorter.
class SharedMemory {
 public:
  /// Makes a new one, or takes over a file descriptor that was inherited. Throws std::system_error.
  SharedMemory();
  explicit SharedMemory(int file) : file_(file) {}
  SharedMemory(const SharedMemory&) = delete;
  ~SharedMemory();

  int file() const { return file_; }

  /// The file grows as needed. Throws std::system_error, e.g. if memory is short.
  void write(size_t at, const std::byte* bytes, size_t count);

  /// Throws std::runtime_error if the file has not so many bytes there.
  void read(size_t at, std::byte* bytes, size_t count) const;

  /// Gives the memory back if there is more of it than that.
  void shrink_to(size_t bytes);

 private:
  int file_;
};

}  // namespace assay
