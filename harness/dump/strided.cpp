#include "harness/dump/strided.h"

#include <charconv>

#include "reference/formats/catalogue.h"

namespace assay {
namespace {

/// Parses "[5, 2]"; returns false for anything else.
bool parse_extents(const std::string& text, std::vector<int64_t>& extents) {
  if (text.size() < 2 || text.front() != '[' || text.back() != ']') return false;
  const char *at = text.data() + 1, *end = text.data() + text.size() - 1;
  while (at != end) {
    int64_t number = 0;
    const auto read = std::from_chars(at, end, number);
    if (read.ec != std::errc() || number < 0) return false;
    extents.push_back(number);
    at = read.ptr;
    if (at != end && *at++ != ',') return false;
    while (at != end && *at == ' ') ++at;
  }
  return true;
}

/// Whether every element of the shape lies within the storage.
bool fits(const std::vector<int64_t>& shape, const std::vector<int64_t>& strides, int64_t storage) {
  int64_t last = 0;
  for (size_t d = 0; d < shape.size(); ++d) {
    if (shape[d] == 0) return true;
    int64_t reach = 0;
    if (__builtin_mul_overflow(shape[d] - 1, strides[d], &reach) || __builtin_add_overflow(last, reach, &last) || last >= storage)
      return false;
  }
  return last < storage;
}

const Format& format_of(const Dump& dump, const StoredTensor& stored) {
  if (stored.format != nullptr) return *stored.format;
  if (stored.bits == 8) return kInt8;
  if (stored.bits == 32) return kInt32;
  throw DumpError(dump.file, "tensor '" + stored.name + "'",
                  stored.dtype + " is a type without a format of Assay; state one as FILE.npy:FORMAT");
}

}  // namespace

TensorSpec storage_spec(const Dump& dump, const StoredTensor& stored) {
  TensorSpec spec{stored.name, Role::kInput, &format_of(dump, stored), stored.shape, stored.strides, stored.elements()};
  spec.packed = stored.bits == 4;
  const auto shape = dump.metadata.find(stored.name + ".shape"), strides = dump.metadata.find(stored.name + ".strides");
  if (shape == dump.metadata.end() && strides == dump.metadata.end()) return spec;
  const auto refuse = [&](const std::string& problem) {
    return DumpError(dump.file, "__metadata__: '" + stored.name + ".strides'", problem);
  };
  if (stored.shape.size() != 1)
    throw refuse("the tensor is " + extents_text(stored.shape) + "; strides are stated for flat storage only");
  spec.shape.clear();
  spec.strides.clear();
  if (shape == dump.metadata.end() || strides == dump.metadata.end() || !parse_extents(shape->second, spec.shape) ||
      !parse_extents(strides->second, spec.strides) || spec.shape.size() != spec.strides.size())
    throw refuse("shape and strides must both be lists of integers such as [5, 2], of one length");
  (void)checked_bytes(dump.file, "'" + stored.name + ".shape'", spec.shape, spec.format->bits);
  if (const auto offset = dump.metadata.find(stored.name + ".offset"); offset != dump.metadata.end()) {
    std::vector<int64_t> first;
    if (!parse_extents(offset->second, first) || first.size() != 1 || first.front() < 0 || first.front() > spec.storage)
      throw refuse("the offset must be one integer within the storage, such as [1]");
    spec.offset = first.front();
  }
  if (!fits(spec.shape, spec.strides, spec.storage - spec.offset))
    throw refuse(extents_text(spec.shape) + " with strides " + extents_text(spec.strides) + " runs out of the storage of " +
                 std::to_string(spec.storage) + " elements");
  return spec;
}

CodeMatrix code_matrix(const HostTensor& tensor) {
  const TensorSpec& spec = tensor.spec;
  CodeMatrix matrix;
  matrix.columns = spec.shape.empty() ? 1 : spec.shape.back();
  matrix.rows = 1;
  for (size_t d = 0; d + 1 < spec.shape.size(); ++d) matrix.rows *= spec.shape[d];
  if (matrix.rows == 0 || matrix.columns == 0) return matrix;
  matrix.codes.reserve(size_t(matrix.rows * matrix.columns));
  std::vector<int64_t> at(spec.shape.size(), 0);
  for (int64_t i = 0; i < matrix.rows * matrix.columns; ++i) {
    int64_t offset = spec.offset;
    for (size_t d = 0; d < at.size(); ++d) offset += at[d] * spec.strides[d];
    matrix.codes.push_back(tensor.code(offset));
    for (size_t d = at.size(); d-- > 0 && ++at[d] == spec.shape[d];) at[d] = 0;
  }
  return matrix;
}

}  // namespace assay
