#include "harness/dump/dump.h"

#include <charconv>
#include <filesystem>
#include <fstream>
#include <new>

#include "harness/core/tensor.h"
#include "reference/formats/catalogue.h"
#include "reference/table/near.h"

namespace assay {
namespace {

// Reader of tensor files from untrusted sources.

namespace fs = std::filesystem;

const Format* stated_format(const std::string& path, const std::string& name) {
  std::vector<std::string> known;
  for (const Format& format : all_formats()) known.emplace_back(format.name);
  const Format* format = find_format(name);
  if (format == nullptr) throw DumpError(path, "", "':" + name + "' is not a format" + did_you_mean(name, known));
  return format;
}

std::ifstream open_file(const std::string& path, uint64_t& size) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status)) throw DumpError(path, "", "no such file");
  if (!fs::is_regular_file(status)) throw DumpError(path, "", "is not a regular file");
  std::ifstream stream(path, std::ios::binary);
  size = fs::file_size(path, error);
  if (!stream || error) throw DumpError(path, "", "cannot be read");
  return stream;
}

/// Throws if the tensor does not fit in memory. A sparse file can state any size, and a file may come from a larger machine.
void require_memory(const Dump& dump, const StoredTensor& tensor) {
  const uint64_t bytes = tensor.end - tensor.begin;
  const uint64_t codes = uint64_t(tensor.elements()) * sizeof(uint32_t);  // memory of code_matrix()
  if (const std::string why = why_too_large(bytes, bytes + codes); !why.empty())
    throw DumpError(dump.file, "tensor '" + tensor.name + "'", why);
}

}  // namespace

DumpError::DumpError(const std::string& file, const std::string& place, const std::string& problem)
    : std::runtime_error(printable(file) + ": " + (place.empty() ? "" : message_text(place) + ": ") + message_text(problem)) {}

int64_t StoredTensor::elements() const {
  int64_t n = 1;
  for (const int64_t extent : shape) n *= extent;
  return n;
}

const StoredTensor& Dump::find(const std::string& name) const {
  std::vector<std::string> names;
  for (const StoredTensor& tensor : tensors) {
    if (tensor.name == name) return tensor;
    names.push_back(tensor.name);
  }
  throw DumpError(file, "", "no tensor '" + name + "'" + did_you_mean(name, names));
}

Dump open_dump(const std::string& path) {
  const size_t colon = path.rfind(".npy:");
  const std::string file = colon == std::string::npos ? path : path.substr(0, colon + 4);
  uint64_t size = 0;
  if (file.ends_with(".safetensors")) {
    std::ifstream stream = open_file(file, size);
    return index_safetensors(stream, size, file);
  }
  if (file.ends_with(".npy")) {
    const Format* format = colon == std::string::npos ? nullptr : stated_format(file, path.substr(colon + 5));
    std::ifstream stream = open_file(file, size);
    return index_npy(stream, size, file, format);
  }
  throw DumpError(file, "", "ends neither in .safetensors nor in .npy");
}

std::vector<std::byte> read_bytes(const Dump& dump, const StoredTensor& tensor) {
  uint64_t size = 0;
  std::ifstream stream = open_file(dump.file, size);
  if (tensor.end > size) throw DumpError(dump.file, "tensor '" + tensor.name + "'", "the file has become shorter");
  require_memory(dump, tensor);
  std::vector<std::byte> bytes;
  try {
    bytes.resize(size_t(tensor.end - tensor.begin));
  } catch (const std::bad_alloc&) {
    throw DumpError(dump.file, "tensor '" + tensor.name + "'",
                    "holds " + size_in_words(tensor.end - tensor.begin) + ", and no memory is left for it");
  }
  stream.seekg(std::streamoff(tensor.begin));
  stream.read(reinterpret_cast<char*>(bytes.data()), std::streamsize(bytes.size()));
  if (!stream) throw DumpError(dump.file, "tensor '" + tensor.name + "'", "cannot be read");
  return bytes;
}

uint64_t checked_bytes(const std::string& file, const std::string& place, const std::vector<int64_t>& shape, int bits) {
  constexpr int64_t kMost = int64_t{1} << 62;
  int64_t total = bits;
  bool empty = false;
  for (const int64_t extent : shape) {
    if (extent < 0) throw DumpError(file, place, "shape " + extents_text(shape) + " has a negative extent");
    empty = empty || extent == 0;
  }
  for (const int64_t extent : shape) {
    if (empty) return 0;
    if (__builtin_mul_overflow(total, extent, &total) || total > kMost)
      throw DumpError(file, place, "shape " + extents_text(shape) + " has too many elements");
  }
  if (total % 8 != 0) throw DumpError(file, place, "shape " + extents_text(shape) + " is not a whole number of bytes");
  return uint64_t(total) / 8;
}

std::string extents_text(const std::vector<int64_t>& extents) {
  std::string text = "[";
  for (const int64_t extent : extents) text += (text.size() > 1 ? ", " : "") + std::to_string(extent);
  return text + "]";
}

namespace {

// The memory layout of a stored tensor: its own strides or, for a vector, shape and strides in the file's metadata.

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
                  stored.dtype + " is a type for which Assay has no format; state one as FILE.npy:FORMAT");
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
    throw refuse("the tensor is " + extents_text(stored.shape) + "; strides are allowed for one-dimensional tensors only");
  spec.shape.clear();
  spec.strides.clear();
  if (shape == dump.metadata.end() || strides == dump.metadata.end() || !parse_extents(shape->second, spec.shape) ||
      !parse_extents(strides->second, spec.strides) || spec.shape.size() != spec.strides.size())
    throw refuse("shape and strides must both be lists of integers such as [5, 2], of equal length");
  (void)checked_bytes(dump.file, "'" + stored.name + ".shape'", spec.shape, spec.format->bits);
  if (const auto offset = dump.metadata.find(stored.name + ".offset"); offset != dump.metadata.end()) {
    std::vector<int64_t> first;
    if (!parse_extents(offset->second, first) || first.size() != 1 || first.front() < 0 || first.front() > spec.storage)
      throw refuse("the offset must be one integer within the storage, such as [1]");
    spec.offset = first.front();
  }
  if (!fits(spec.shape, spec.strides, spec.storage - spec.offset))
    throw refuse(extents_text(spec.shape) + " with strides " + extents_text(spec.strides) + " reaches beyond the storage of " +
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
  try {
    matrix.codes.reserve(size_t(matrix.rows * matrix.columns));
  } catch (const std::bad_alloc&) {
    throw TooLargeError(tensor_size_in_words(spec) + ", and no memory is left for its codes");
  }
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
