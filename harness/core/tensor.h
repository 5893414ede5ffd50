// Tensors of the harness: role, format, shape, strides and bytes; and whether they fit into memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "harness/text/messages.h"
#include "reference/formats/format.h"

namespace assay {

// A range of bytes in a tensor's storage.

/// Bytes [begin, end).
struct ByteRange {
  int64_t begin, end;
  bool operator==(const ByteRange&) const = default;
};

enum class Role { kInput, kOutput };

/// Shapes and strides count elements. The storage may be larger than the shape covers (padding).
struct TensorSpec {
  std::string name;  ///< role name: "x", "q", "scale"
  Role role;
  const Format* format;
  std::vector<int64_t> shape;
  std::vector<int64_t> strides;
  int64_t storage = 0;  ///< number of allocated elements; every storage offset is below it
  int64_t offset = 0;   ///< storage offset of element [0, ...]
  int rank = 0;         ///< rank that owns the tensor; 0 if there is a single rank
  std::string shares{};  ///< for an in-place output: the input of the same rank whose memory it uses
  bool packed = false;  ///< 4-bit codes, two in a byte: the element with the even storage offset is in the low half
  /// 0 for most tensors. Otherwise the tensor is a dense matrix here, but in a kernel's memory its rows are this many elements
  /// apart, without allocated memory between them.
  int64_t far = 0;

  int64_t elements() const;  ///< product of the shape
  /// Storage offset of the first element of row `index`. A vector has only row 0; leading dimensions are flattened into rows.
  int64_t row(int64_t index) const { return offset + (shape.size() > 1 ? index * strides[shape.size() - 2] : 0); }
  /// Storage offset of element i, counted row after row. Needs has_rows() and at least one column.
  int64_t place(int64_t i) const { return row(i / shape.back()) + i % shape.back() * strides.back(); }
  size_t bytes() const { return byte_of(storage + int64_t(packed)); }
  /// Strides in a kernel's memory.
  std::vector<int64_t> strides_of_kernel() const;
  /// Bytes from the first to the last byte of the storage in a kernel's memory.
  size_t bytes_of_kernel() const;
  /// First byte of the element at a storage offset; for packed codes the byte that contains it.
  size_t byte_of(int64_t at) const { return packed ? size_t(at) / 2 : size_t(at) * size_t(format->bytes()); }
  /// Storage offset of the element in this byte; for packed codes, of the first of the two.
  int64_t element_of(size_t byte) const { return packed ? int64_t(byte) * 2 : int64_t(byte) / format->bytes(); }
};

/// Name in files and dumps: the tensor's name, followed by "@2" on rank 2.
std::string key_of(const TensorSpec& spec);
std::string key_of(const std::string& name, int rank);

/// A dense row-major spec of the given shape.
TensorSpec dense(std::string name, Role role, const Format& format, std::vector<int64_t> shape);

/// The spec with two 4-bit codes per byte. An odd storage size is rounded up. Throws std::logic_error for another format, or if a
/// row would begin within a byte (strides other than 1 must be even).
TensorSpec packed(TensorSpec spec);

/// A tensor with its storage on the host.
struct HostTensor {
  TensorSpec spec;
  std::vector<std::byte> bytes;

  /// Code of the element at a storage offset. Throws std::logic_error for 64-bit elements.
  uint32_t code(int64_t offset) const;
  void set_code(int64_t offset, uint32_t code);
};

/// The tensor of that name. Throws std::out_of_range with a list of all tensors.
const HostTensor& find(const std::vector<HostTensor>& tensors, std::string_view name);
HostTensor& find(std::vector<HostTensor>& tensors, std::string_view name);

// How much memory this process may use, and errors for tensors that do not fit into it.

/// Thrown if a tensor of a case or file does not fit into the memory of this machine. The message names the tensor and its size.
/// A verdict made from this error is recognized by kBegin in its message; no other verdict has it.
struct TooLargeError : UsageError {
  explicit TooLargeError(const std::string& problem) : UsageError(kBegin + problem) {}

  static constexpr const char* kBegin = "does not fit into memory: ";
};

/// The number after `word` in a file of /proc, converted from KiB to bytes; 0 if there is none.
uint64_t memory_stated(const char* file, const std::string& word);

/// Bytes of memory of the machine or of its container, whichever is smaller; 0 if unknown.
uint64_t memory_of_machine();

/// Why `needed` bytes are too many: "holds 32 GiB and needs 160 GiB here, too much for the 125 GiB of memory of this machine".
/// Empty if they fit. Also considers the limits of this process (ulimit -v, ulimit -d).
std::string why_too_large(uint64_t bytes, uint64_t needed);

/// "32 GiB", "8 KiB", "17 bytes".
std::string size_in_words(uint64_t bytes);

/// The tensor's name, shape and format with its size: "tensor 'x' [2097152, 8192] of bf16: holds 32 GiB"; "holds more than 8 EiB"
/// if the size does not fit into 63 bits.
std::string tensor_size_in_words(const TensorSpec& spec);

/// Throws TooLargeError if the tensor plus `more` bytes for each element do not fit into memory.
void require_memory(const TensorSpec& spec, uint64_t more);

}  // namespace assay
