#include "harness/dump/dump.h"

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "harness/dump/npy.h"
#include "harness/dump/safetensors.h"
#include "reference/formats/catalogue.h"
#include "reference/table/near.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

const Format* stated_format(const std::string& path, const std::string& name) {
  std::vector<std::string> known;
  for (const Format& format : all_formats()) known.emplace_back(format.name);
  const Format* format = find_format(name);
  if (format == nullptr) throw DumpError(path, "", "':" + name + "' is no format" + did_you_mean(name, known));
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

/// A file can be larger than the memory of this machine: a sparse file, or one from another machine.
void require_memory(const Dump& dump, const StoredTensor& tensor) {
  constexpr uint64_t kCopies = 2;  // the bytes, and the elements in logical order
  const uint64_t bytes = tensor.end - tensor.begin;
  const uint64_t memory = uint64_t(::sysconf(_SC_PHYS_PAGES)) * uint64_t(::sysconf(_SC_PAGESIZE));
  if (bytes <= memory / kCopies) return;
  const auto gib = [](uint64_t size) {
    char text[32];
    std::snprintf(text, sizeof text, "%.3g GiB", double(size) / double(uint64_t{1} << 30));
    return std::string(text);
  };
  throw DumpError(dump.file, "tensor '" + tensor.name + "'",
                  "holds " + gib(bytes) + ", too much for the " + gib(memory) + " of memory of this machine");
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
  std::vector<std::byte> bytes(size_t(tensor.end - tensor.begin));
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

}  // namespace assay
