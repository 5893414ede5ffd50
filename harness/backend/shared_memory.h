// Memory shared by two processes; tensors are not sent through the socket.
#pragma once

#include <cstddef>

namespace assay {

/// An anonymous file in memory (memfd) that both processes hold. It is accessed with read and write calls, which can fail, and
/// never mapped: a kernel also has the descriptor and could shrink the file, and then accessing a mapping would kill the harness.
class SharedMemory {
 public:
  /// Creates a file, or takes over an inherited descriptor. Throws std::system_error.
  SharedMemory();
  explicit SharedMemory(int file) : file_(file) {}
  SharedMemory(const SharedMemory&) = delete;
  ~SharedMemory();

  int file() const { return file_; }

  /// The file grows as needed. Throws std::system_error, e.g. if memory is short.
  void write(size_t at, const std::byte* bytes, size_t count);

  /// Throws std::runtime_error if the file ends before at + count.
  void read(size_t at, std::byte* bytes, size_t count) const;

  /// Frees memory beyond that size.
  void shrink_to(size_t bytes);

 private:
  int file_;
};

}  // namespace assay
