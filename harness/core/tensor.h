// Tensors as the harness sees them: a role, a format, a shape, strides and bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "reference/formats/format.h"

namespace assay {

enum class Role { kInput, kOutput };

/// Shapes and strides in elements. A tensor may own more storage than its shape covers (padding).
struct TensorSpec {
  std::string name;  ///< role by name: "x", "q", "scale"
  Role role;
  const Format* format;
  std::vector<int64_t> shape;
  std::vector<int64_t> strides;
  int64_t storage = 0;  ///< elements allocated; the highest addressed element is below it
  int64_t offset = 0;   ///< element of the storage that is element [0, ...]
  int rank = 0;         ///< of the group that calls together; 0 where one device works alone
  std::string shares{};  ///< of an output that comes with data: the input of its rank whose memory it is
  bool packed = false;  ///< codes of 4 bits, two in a byte: the element of even number in storage has the low half

  int64_t elements() const;  ///< product of the shape
  /// Where a row of a matrix begins in the storage; a vector is row 0, and more dimensions are rows that follow each other.
  int64_t row(int64_t index) const { return offset + (shape.size() > 1 ? index * strides[shape.size() - 2] : 0); }
  size_t bytes() const { return byte_of(storage + int64_t(packed)); }
  /// First byte of the element at a storage offset; of packed codes the byte that it is half of.
  size_t byte_of(int64_t at) const { return packed ? size_t(at) / 2 : size_t(at) * size_t(format->bytes()); }
  /// Storage offset of the first element that a byte is part of.
  int64_t element_of(size_t byte) const { return packed ? int64_t(byte) * 2 : int64_t(byte) / format->bytes(); }
};

/// What files and dumps call the tensor: its name, and "x@2" on rank 2.
std::string key_of(const TensorSpec& spec);
std::string key_of(const std::string& name, int rank);

/// A dense row-major spec of the given shape.
TensorSpec dense(std::string name, Role role, const Format& format, std::vector<int64_t> shape);

/// The spec with two codes of 4 bits in a byte. Storage becomes even. Throws std::logic_error for another format, and where rows begin
/// within a byte: strides other than 1 are even.
TensorSpec packed(TensorSpec spec);

/// A spec with its storage on the host.
struct HostTensor {
  TensorSpec spec;
  std::vector<std::byte> bytes;

  /// Code of the element at a storage offset. Throws std::logic_error for elements of 64 bits.
  uint32_t code(int64_t offset) const;
  void set_code(int64_t offset, uint32_t code);
};

/// The tensor of that name. Throws std::out_of_range naming what there is.
const HostTensor& find(const std::vector<HostTensor>& tensors, std::string_view name);
HostTensor& find(std::vector<HostTensor>& tensors, std::string_view name);

}  // namespace assay
