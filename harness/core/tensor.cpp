#include "harness/core/tensor.h"

#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <limits>
#include <optional>
#include <stdexcept>
#include <utility>

namespace assay {
namespace {

/// The product, or the largest int64_t if it overflows; require_memory() then refuses the tensor.
int64_t product(int64_t a, int64_t b) {
  int64_t result = 0;
  return __builtin_mul_overflow(a, b, &result) ? std::numeric_limits<int64_t>::max() : result;
}

}  // namespace

int64_t TensorSpec::elements() const {
  int64_t n = 1;
  for (int64_t extent : shape) n = product(n, extent);
  return n;
}

std::string key_of(const std::string& name, int rank) { return rank == 0 ? name : name + "@" + std::to_string(rank); }
std::string key_of(const TensorSpec& spec) { return key_of(spec.name, spec.rank); }

TensorSpec dense(std::string name, Role role, const Format& format, std::vector<int64_t> shape) {
  std::vector<int64_t> strides(shape.size());
  int64_t stride = 1;
  for (size_t d = shape.size(); d-- > 0;) {
    strides[d] = stride;
    stride = product(stride, shape[d]);
  }
  return {std::move(name), role, &format, std::move(shape), std::move(strides), stride};
}

std::vector<int64_t> TensorSpec::strides_of_kernel() const {
  std::vector<int64_t> all = strides;
  if (far > 0) all.front() = far;
  return all;
}

size_t TensorSpec::bytes_of_kernel() const {
  return far > 0 ? byte_of((shape.front() - 1) * far) + byte_of(shape.back()) : bytes();
}

TensorSpec packed(TensorSpec spec) {
  if (spec.format->bits != 4) throw std::logic_error("tensor '" + spec.name + "' cannot be packed: its codes do not have 4 bits");
  for (size_t d = 0; d < spec.strides.size(); ++d)
    if (spec.shape[d] > 1 && spec.strides[d] != 1 && spec.strides[d] % 2 != 0)
      throw std::logic_error("tensor '" + spec.name + "' has packed rows that begin within a byte");
  spec.packed = true;
  spec.storage += spec.storage % 2;
  return spec;
}

namespace {

/// Bytes per element. Throws if elements have more than 32 bits.
size_t width_of(const TensorSpec& spec) {
  const auto width = size_t(spec.format->bytes());
  if (width > sizeof(uint32_t))
    throw std::logic_error("tensor '" + spec.name + "' has elements of more than 32 bits; expected at most 32");
  return width;
}

}  // namespace

uint32_t HostTensor::code(int64_t offset) const {
  if (spec.packed) return uint32_t(bytes[spec.byte_of(offset)]) >> (4 * (offset & 1)) & 0xfu;
  uint32_t code = 0;
  const size_t width = width_of(spec);
  std::memcpy(&code, bytes.data() + size_t(offset) * width, width);
  return code;
}

void HostTensor::set_code(int64_t offset, uint32_t code) {
  if (spec.packed) {
    std::byte& both = bytes[spec.byte_of(offset)];
    const unsigned shift = 4 * (offset & 1);
    both = (both & ~(std::byte{0xf} << shift)) | std::byte(code & 0xfu) << shift;
    return;
  }
  const size_t width = width_of(spec);
  std::memcpy(bytes.data() + size_t(offset) * width, &code, width);
}

const HostTensor& find(const std::vector<HostTensor>& tensors, std::string_view name) {
  std::string known;
  for (const HostTensor& tensor : tensors) {
    if (tensor.spec.name == name) return tensor;
    known += " " + tensor.spec.name;
  }
  throw std::out_of_range("no tensor '" + std::string(name) + "'; there are:" + known);
}

HostTensor& find(std::vector<HostTensor>& tensors, std::string_view name) {
  return const_cast<HostTensor&>(find(std::as_const(tensors), name));
}

namespace {

/// Bytes of the tensor plus `more` bytes for each element. Nothing if the number does not fit into 63 bits.
std::optional<uint64_t> bytes_with(const TensorSpec& spec, uint64_t more) {
  int64_t elements = 1, bytes = 0, extra = 0, total = 0;
  for (const int64_t extent : spec.shape)
    if (extent == 0) return 0;
  for (const int64_t extent : spec.shape)
    if (__builtin_mul_overflow(elements, extent, &elements)) return std::nullopt;
  const int64_t stored = std::max(spec.storage, elements);
  if (__builtin_mul_overflow(stored, spec.packed ? int64_t{1} : int64_t(spec.format->bytes()), &bytes) ||
      __builtin_mul_overflow(elements, int64_t(more), &extra) || __builtin_add_overflow(bytes, extra, &total))
    return std::nullopt;
  return uint64_t(spec.packed ? bytes / 2 + extra : total);
}

}  // namespace

uint64_t memory_stated(const char* file, const std::string& word) {
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(word)) return uint64_t{std::strtoull(line.c_str() + word.size(), nullptr, 10)} << 10;
  return 0;
}

uint64_t memory_of_machine() {
  static const uint64_t stated = [] {  // read only once, since every tensor is checked against it
    uint64_t bytes = memory_stated("/proc/meminfo", "MemTotal:"), of_container = 0;
    if (std::ifstream("/sys/fs/cgroup/memory.max") >> of_container && of_container > 0) bytes = std::min(bytes, of_container);
    return bytes;
  }();
  return stated;
}

std::string size_in_words(uint64_t bytes) {
  static constexpr std::array kUnits = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  size_t unit = 0;
  double size = double(bytes);
  for (; size >= 1024 && unit + 1 < kUnits.size(); ++unit) size /= 1024;
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.3g %s", size, kUnits[unit]);
  return text;
}

std::string why_too_large(uint64_t bytes, uint64_t needed) {
  uint64_t allowed = memory_of_machine();
  std::string whose = " of memory of this machine";
  for (const auto resource : {RLIMIT_AS, RLIMIT_DATA}) {
    rlimit limit{};
    if (::getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= allowed) continue;
    allowed = limit.rlim_cur;
    whose = " that this process may have (ulimit)";
  }
  if (allowed == 0 || needed <= allowed) return "";
  return "holds " + size_in_words(bytes) + (needed > bytes ? " and needs " + size_in_words(needed) + " here" : std::string()) +
         ", too much for the " + size_in_words(allowed) + whose;
}

std::string tensor_size_in_words(const TensorSpec& spec) {
  std::string text = "tensor '" + spec.name + "' [";
  for (size_t d = 0; d < spec.shape.size(); ++d) text += (d == 0 ? "" : ", ") + std::to_string(spec.shape[d]);
  text += "] of " + std::string(spec.format->name) + ": holds ";
  const std::optional<uint64_t> bytes = bytes_with(spec, 0);
  return text + (bytes ? size_in_words(*bytes) : "more than 8 EiB");
}

void require_memory(const TensorSpec& spec, uint64_t more) {
  const std::optional<uint64_t> bytes = bytes_with(spec, 0), needed = bytes_with(spec, more);
  if (!bytes || !needed) throw TooLargeError(tensor_size_in_words(spec) + ", too much for this machine");
  const std::string why = why_too_large(*bytes, *needed);
  if (why.empty()) return;
  const std::string words = tensor_size_in_words(spec);
  throw TooLargeError(words.substr(0, words.rfind("holds ")) + why);
}

}  // namespace assay
