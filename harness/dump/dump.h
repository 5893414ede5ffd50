// Files that hold tensors somebody else wrote: what stands where, checked before a byte of it is used.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "reference/formats/format.h"

namespace assay {

/// Dimensions that a tensor of a file may have.
inline constexpr size_t kMostDimensions = 64;

/// A file that cannot be believed. what() reads `file: place: problem`; what is quoted of the file is printable and short.
struct DumpError : std::runtime_error {
  DumpError(const std::string& file, const std::string& place, const std::string& problem);
};

/// One tensor of a file, not read yet. Shapes and strides in elements; every element lies inside [begin, end).
struct StoredTensor {
  std::string name;
  std::string dtype;               ///< as the file spells it: "F8_E4M3", "<f4"
  const Format* format = nullptr;  ///< nullptr: plain bytes (U8, |V1), or a type that Assay has no format for; F4: e2m1, two in a byte
  int bits = 0;                    ///< of one element
  std::vector<int64_t> shape, strides;
  uint64_t begin = 0, end = 0;  ///< bytes of the file

  int64_t elements() const;
};

struct Dump {
  std::string file;
  std::vector<StoredTensor> tensors;
  std::map<std::string, std::string> metadata;

  /// Throws DumpError with near matches.
  const StoredTensor& find(const std::string& name) const;
};

/// Opens `FILE.safetensors`, `FILE.npy` or `FILE.npy:FORMAT`, where FORMAT (bf16, e4m3fn, e8m0, ...) is what NumPy has no name
/// for. Only the header is read. Throws DumpError.
Dump open_dump(const std::string& path);

/// The bytes of one tensor in the order of the file. Throws DumpError.
std::vector<std::byte> read_bytes(const Dump& dump, const StoredTensor& tensor);

/// Product of extents times bits, in bytes. Throws DumpError: a negative extent, more than 2^62 bits, no whole number of bytes.
uint64_t checked_bytes(const std::string& file, const std::string& place, const std::vector<int64_t>& shape, int bits);

/// "[5, 1024]"
std::string extents_text(const std::vector<int64_t>& extents);

}  // namespace assay
