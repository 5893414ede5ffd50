// Reads tensor files from untrusted sources. Headers are validated before any data are used.
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

/// Largest number of dimensions of a tensor in a file.
inline constexpr size_t kMostDimensions = 64;

/// An invalid file. what() reads `file: place: problem`; quoted file content is made printable and shortened.
struct DumpError : std::runtime_error {
  DumpError(const std::string& file, const std::string& place, const std::string& problem);
};

/// A tensor in a file, not read yet. Shapes and strides count elements; every element lies within [begin, end).
struct StoredTensor {
  std::string name;
  std::string dtype;               ///< as the file spells it: "F8_E4M3", "<f4"
  const Format* format = nullptr;  ///< nullptr: untyped bytes (U8, |V1), or a type without one of our formats; F4 is e2m1, two
                                   ///< codes per byte
  int bits = 0;                    ///< bits per element
  std::vector<int64_t> shape, strides;
  uint64_t begin = 0, end = 0;  ///< byte range in the file

  int64_t elements() const;
};

struct Dump {
  std::string file;
  std::vector<StoredTensor> tensors;
  std::map<std::string, std::string> metadata;

  /// Throws DumpError with similar names.
  const StoredTensor& find(const std::string& name) const;
};

/// Opens `FILE.safetensors`, `FILE.npy` or `FILE.npy:FORMAT`, where FORMAT (bf16, e4m3fn, e8m0, ...) states a format that NumPy
/// cannot name. Reads only the header. Throws DumpError.
Dump open_dump(const std::string& path);

/// The bytes of one tensor, in file order. Throws DumpError.
std::vector<std::byte> read_bytes(const Dump& dump, const StoredTensor& tensor);

/// Product of extents and bits, in bytes. Throws DumpError for a negative extent, more than 2^62 bits, or a fraction of a byte.
uint64_t checked_bytes(const std::string& file, const std::string& place, const std::vector<int64_t>& shape, int bits);

/// "[5, 1024]"
std::string extents_text(const std::vector<int64_t>& extents);

}  // namespace assay
