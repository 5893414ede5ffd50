// The safetensors format: 8 bytes of header length, a JSON header, then the tensors without gaps. Source:
// github.com/huggingface/safetensors, README "Format"
#pragma once

#include <istream>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "harness/dump/dump.h"

namespace assay {

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
  bool packed = false;  ///< two 4-bit codes per byte; otherwise each code has its own bytes

  int bits() const { return packed ? format->bits : format->bytes() * 8; }
};

/// A complete file as text. Invalid UTF-8 in metadata is replaced by U+FFFD. Throws std::logic_error if bytes do not fit a shape.
std::string safetensors_text(const std::vector<TensorBytes>& tensors, const std::map<std::string, std::string>& metadata);

}  // namespace assay
