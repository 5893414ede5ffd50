// The safetensors format: 8 bytes of header length, a JSON header, then the tensors without a gap.
// Source: github.com/huggingface/safetensors, README "Format"
#pragma once

#include <istream>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "harness/dump/dump.h"

namespace assay {

/// Reads and checks the header of a file of `size` bytes; `file` is for messages. Tensors come in the order of their bytes.
///
/// Throws DumpError with file and place: a length that runs past the end or beyond 100 MB (the format's own limit), text that is
/// no JSON object or no UTF-8, nesting deeper than the format has, duplicate names, an unknown dtype, a negative or overflowing
/// shape, offsets that overlap, leave a gap, run out of the file or disagree with shape and dtype.
Dump index_safetensors(std::istream& stream, uint64_t size, const std::string& file);

/// A tensor to be written, dense and row-major.
struct TensorBytes {
  std::string name;
  const Format* format;
  std::vector<int64_t> shape;
  std::span<const std::byte> bytes;
  bool packed = false;  ///< two codes of 4 bits in a byte; else each has a byte or more

  int bits() const { return packed ? format->bits : format->bytes() * 8; }
};

/// A whole file as text; what is no UTF-8 in metadata is replaced by U+FFFD. Throws std::logic_error if bytes do not fit a shape.
std::string safetensors_text(const std::vector<TensorBytes>& tensors, const std::map<std::string, std::string>& metadata);

}  // namespace assay
