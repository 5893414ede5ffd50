// Reader of tensor files from untrusted sources. Headers are validated before any data are used.
#pragma once

#include <cstddef>
#include <cstdint>
#include <istream>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "harness/core/tensor.h"
#include "reference/formats/format.h"

namespace assay {

/// Largest number of dimensions of a tensor in a file.
inline constexpr size_t kMostDimensions = 64;

/// Thrown for an invalid file. what() is `file: place: problem`; quoted file content is made printable and shortened.
struct DumpError : std::runtime_error {
  DumpError(const std::string& file, const std::string& place, const std::string& problem);
};

/// A tensor in a file, not read yet. Shapes and strides count elements; every element lies within [begin, end).
struct StoredTensor {
  std::string name;
  std::string dtype;               ///< the type as the file spells it: "F8_E4M3", "<f4"
  const Format* format = nullptr;  ///< nullptr: untyped bytes (U8, |V1), or a type without a format in Assay; F4 is e2m1,
                                   ///< two codes per byte
  int bits = 0;                    ///< bits per element
  std::vector<int64_t> shape, strides;
  uint64_t begin = 0, end = 0;  ///< byte range in the file

  int64_t elements() const;
};

struct Dump {
  std::string file;
  std::vector<StoredTensor> tensors;
  std::map<std::string, std::string> metadata;

  /// The tensor with that name. Throws DumpError that suggests similar names.
  const StoredTensor& find(const std::string& name) const;
};

/// Opens `FILE.safetensors`, `FILE.npy` or `FILE.npy:FORMAT`. FORMAT (bf16, e4m3fn, e8m0, ...) tells the element format if NumPy
/// has no name for it. Reads only the header. Throws DumpError.
Dump open_dump(const std::string& path);

/// The bytes of one tensor, in file order. Throws DumpError.
std::vector<std::byte> read_bytes(const Dump& dump, const StoredTensor& tensor);

/// Bytes of a tensor of `bits` bits per element. Throws DumpError for a negative extent, more than 2^62 bits, or a partial byte.
uint64_t checked_bytes(const std::string& file, const std::string& place, const std::vector<int64_t>& shape, int bits);

/// "[5, 1024]"
std::string extents_text(const std::vector<int64_t>& extents);

// NumPy's .npy format: magic bytes, a Python dictionary as text, one array. Source: NEP 1, numpy/lib/format.py

/// Reads and validates the header, versions 1 to 3. The only tensor is named "array". An array in Fortran order gets column-major
/// strides, so [i, j] is the same element in either order.
///
/// `stated` is the format of untyped bytes ('|V1', '<V2', '|u1' and other types of the same width, as ml_dtypes writes them);
/// nullptr: use the header's type. Throws DumpError with file and place: wrong magic or version; a header that runs past the end,
/// or is not a dictionary with descr, fortran_order and shape exactly once; big-endian, structured and object arrays; a shape
/// that is negative, overflows or contradicts the file size; a stated format of another width.
Dump index_npy(std::istream& stream, uint64_t size, const std::string& file, const Format* stated);

/// A complete file, version 1, C order. Formats without a NumPy name are written as '|V1' and '<V2', as ml_dtypes does.
std::string npy_text(const Format& format, const std::vector<int64_t>& shape, std::span<const std::byte> bytes);

// The safetensors format: 8 bytes of header length, a JSON header, then the tensors without gaps. Source:
// github.com/huggingface/safetensors, README "Format"

/// Reads and validates the header of a file of `size` bytes; `file` is used in messages. Tensors are returned in file order.
///
/// Throws DumpError with file and place: a header length beyond the end of the file or beyond 100 MB (the format's limit), text
/// that is not a JSON object or not UTF-8, too deep nesting, duplicate names, an unknown dtype, a negative or overflowing shape,
/// offsets that overlap, leave a gap, exceed the file or contradict shape and dtype.
Dump index_safetensors(std::istream& stream, uint64_t size, const std::string& file);

/// A tensor to write, dense and row-major.
struct TensorBytes {
  std::string name;
  const Format* format;
  std::vector<int64_t> shape;
  std::span<const std::byte> bytes;
  bool packed = false;  ///< true: a byte holds two 4-bit codes; false: each code has its own bytes

  int bits() const { return packed ? format->bits : format->bytes() * 8; }
};

/// A complete file as text. Invalid UTF-8 in metadata is replaced by U+FFFD. Throws std::logic_error if bytes do not fit a shape.
std::string safetensors_text(const std::vector<TensorBytes>& tensors, const std::map<std::string, std::string>& metadata);

// The memory layout of a stored tensor: its own strides or, for a vector, shape and strides in the file's metadata.

/// The tensor in its memory layout. If a one-dimensional tensor NAME has metadata `NAME.shape` and `NAME.strides`, such as
/// "[5, 2]" and "[1, 8]", it is the storage of a tensor of that shape, padding included. `NAME.offset` ("[1]") is the storage
/// offset of the first element; the default is 0. The role is kInput. A tensor without a format is read as signed integers of its
/// width; 4-bit elements are packed. Throws DumpError for metadata that are not integer lists, are inconsistent or address
/// elements outside the storage, and for an element width without a format.
TensorSpec storage_spec(const Dump& dump, const StoredTensor& stored);

/// Codes of a matrix in logical, row-major order. Leading dimensions are flattened into rows; a vector is one row.
struct CodeMatrix {
  int64_t rows = 0, columns = 0;
  std::vector<uint32_t> codes;
};
CodeMatrix code_matrix(const HostTensor& tensor);

}  // namespace assay
