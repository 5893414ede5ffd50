#include "harness/core/tensor.h"

#include <cstring>
#include <limits>
#include <stdexcept>
#include <utility>

namespace assay {
namespace {

/// The product, or the largest number if it does not fit: of a tensor that require_memory() refuses.
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

TensorSpec packed(TensorSpec spec) {
  if (spec.format->bits != 4) throw std::logic_error("tensor '" + spec.name + "' has no codes of 4 bits to be packed");
  for (size_t d = 0; d < spec.strides.size(); ++d)
    if (spec.shape[d] > 1 && spec.strides[d] != 1 && spec.strides[d] % 2 != 0)
      throw std::logic_error("tensor '" + spec.name + "' has packed rows that begin within a byte");
  spec.packed = true;
  spec.storage += spec.storage % 2;
  return spec;
}

namespace {

/// Bytes per element. Throws if elements have no 32-bit code.
size_t width_of(const TensorSpec& spec) {
  const auto width = size_t(spec.format->bytes());
  if (width > sizeof(uint32_t))
    throw std::logic_error("tensor '" + spec.name + "' has elements of more than 32 bits, which are no codes");
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

}  // namespace assay
