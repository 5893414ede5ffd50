#include "harness/check/given_tensors.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "harness/dump/dump.h"
#include "harness/text/error.h"
#include "reference/formats/catalogue.h"
#include "reference/table/near.h"

namespace assay {
namespace {

/// A dtype of check.h in the harness's terms.
struct GivenType {
  const Format* format;
  bool plain_bytes = false;  ///< the contract determines the format of the codes
  bool packed = false;       ///< two codes per byte
};

GivenType type_of(const std::string& dtype, const std::string& place) {
  if (dtype == "uint8") return {&kInt8, true};
  if (dtype == "uint32") return {&kInt32, true};
  if (dtype == "e2m1x2") return {&kE2M1, false, true};
  const std::vector<std::string> known = {"f32",      "bf16", "f16",  "e4m3fn", "e4m3fnuz", "e5m2",
                                          "e5m2fnuz", "e8m0", "int8", "int32",  "int64"};
  if (std::find(known.begin(), known.end(), dtype) != known.end()) return {find_format(dtype)};
  std::string list = "uint8, uint32, e2m1x2";
  for (const std::string& name : known) list += ", " + name;
  throw UsageError(place + ": has dtype '" + dtype + "'; expected one of " + list + did_you_mean(dtype, known));
}

/// Lowest and highest element that shape and strides address, relative to element [0, ...]; nullopt if the numbers overflow.
std::optional<std::pair<int64_t, int64_t>> reach_of(const std::vector<int64_t>& shape, const std::vector<int64_t>& strides) {
  constexpr int64_t kMost = int64_t{1} << 46;
  int64_t low = 0, high = 0, elements = 1;
  for (size_t d = 0; d < shape.size(); ++d) {
    int64_t reach = 0;
    if (__builtin_mul_overflow(elements, shape[d], &elements) || elements > kMost) return std::nullopt;
    if (__builtin_mul_overflow(std::max<int64_t>(shape[d], 1) - 1, strides[d], &reach)) return std::nullopt;
    if (__builtin_add_overflow(reach < 0 ? low : high, reach, reach < 0 ? &low : &high) || high > kMost || low < -kMost)
      return std::nullopt;
  }
  return std::pair(low, high);
}

/// Copies the elements in logical order, for any strides.
std::vector<std::byte> dense_copy(const TensorSpec& spec, const std::byte* first) {
  const size_t width = size_t(spec.format->bytes());
  std::vector<std::byte> bytes(size_t(spec.elements()) * width);
  std::vector<int64_t> at(spec.shape.size(), 0);
  int64_t offset = 0;
  for (size_t i = 0; i < bytes.size(); i += width) {
    std::memcpy(bytes.data() + i, first + offset * int64_t(width), width);
    for (size_t d = at.size(); d-- > 0;) {
      offset += spec.strides[d];
      if (++at[d] < spec.shape[d]) break;
      offset -= at[d] * spec.strides[d];
      at[d] = 0;
    }
  }
  return bytes;
}

std::vector<int64_t> row_major(const std::vector<int64_t>& shape) {
  std::vector<int64_t> strides(shape.size(), 1);
  for (size_t d = shape.size(); d-- > 1;) strides[d - 1] = strides[d] * std::max<int64_t>(1, shape[d]);
  return strides;
}

/// The storage that the caller can read is kept as it is, so that padding is known, unless the elements lie far apart in it or
/// backwards.
HostTensor copied(const assay_check_tensor& given, TensorSpec spec, const std::pair<int64_t, int64_t>& reach,
                  const std::string& place) {
  const auto* const first = static_cast<const std::byte*>(given.data);
  if (spec.elements() == 0) return {spec, {}};
  if (first == nullptr) throw UsageError(place + ": data is NULL");
  spec.storage = reach.second + 1;
  if (given.bytes != 0 && given.bytes < spec.bytes())
    throw UsageError(place + ": shape " + extents_text(spec.shape) + " with strides " + extents_text(spec.strides) +
                     " reaches byte " + std::to_string(spec.bytes()) + ", and only " + std::to_string(given.bytes) +
                     " are readable");
  const bool scattered = reach.first < 0 || spec.storage > 4 * spec.elements() + 65536;
  if (scattered) {
    if (spec.packed) throw UsageError(place + ": packed codes must have strides from 0 up and lie close together");
    std::vector<std::byte> bytes = dense_copy(spec, first);
    spec.strides = row_major(spec.shape), spec.storage = spec.elements();
    return {spec, std::move(bytes)};
  }
  const auto readable = int64_t(given.bytes / uint64_t(spec.format->bytes())) * (spec.packed ? 2 : 1);
  if (given.bytes != 0 && readable <= 4 * spec.elements() + 65536) spec.storage = readable;
  if (spec.packed) spec.storage += spec.storage % 2;
  const size_t bytes = spec.packed ? size_t(spec.storage) / 2 : spec.bytes();
  return {spec, std::vector<std::byte>(first, first + bytes)};
}

DumpedTensor given_tensor(const assay_check_tensor& given, const std::string& role) {
  const std::string place = std::string(kGiven) + ": tensor '" + role + "'";
  if (given.dtype == nullptr) throw UsageError(place + ": dtype is NULL");
  if (given.ndim < 0 || size_t(given.ndim) > kMostDimensions || (given.ndim > 0 && given.shape == nullptr))
    throw UsageError(place + ": expected 0 to " + std::to_string(kMostDimensions) + " dimensions and a shape, got " +
                     std::to_string(given.ndim));
  const GivenType type = type_of(given.dtype, place);
  TensorSpec spec{role, Role::kInput, type.format, {}, {}};
  spec.packed = type.packed;
  spec.shape.assign(given.shape, given.shape + given.ndim);
  if (std::any_of(spec.shape.begin(), spec.shape.end(), [](int64_t extent) { return extent < 0; }))
    throw UsageError(place + ": has shape " + extents_text(spec.shape));
  const auto elements = reach_of(spec.shape, std::vector<int64_t>(spec.shape.size(), 0));
  if (!elements) throw UsageError(place + ": has shape " + extents_text(spec.shape) + ", which is more than memory holds");
  spec.strides = row_major(spec.shape);
  if (given.strides != nullptr) spec.strides.assign(given.strides, given.strides + given.ndim);
  for (size_t d = 0; d < spec.shape.size(); ++d)
    if (spec.shape[d] == 1) spec.strides[d] = row_major(spec.shape)[d];  // strides of extent 1 mean nothing: frameworks store
                                                                         // arbitrary values
  const auto reach = reach_of(spec.shape, spec.strides);
  if (!reach) throw UsageError(place + ": has strides " + extents_text(spec.strides) + ", which is more than memory holds");
  return {copied(given, spec, *reach, place), kGiven, role, given.dtype, type.plain_bytes};
}

/// Element i of an array; its elements may be larger than this library knows.
const assay_check_tensor& element(const assay_check_tensor* tensors, int32_t i) {
  const auto* const first = reinterpret_cast<const std::byte*>(tensors);
  return *reinterpret_cast<const assay_check_tensor*>(first + size_t(i) * tensors->size);
}

}  // namespace

DumpedRoles given_tensors(const assay_check_tensor* tensors, int32_t count) {
  DumpedRoles roles;
  if (count < 0 || (count > 0 && tensors == nullptr))
    throw UsageError("tensors: expected " + std::to_string(count) + " of them, got NULL");
  if (count > 0 && (tensors->size < sizeof(assay_check_tensor) || tensors->size % alignof(assay_check_tensor) != 0))
    throw UsageError("tensors: expected size " + std::to_string(sizeof(assay_check_tensor)) + " or more, got " +
                     std::to_string(tensors->size));
  for (int32_t i = 0; i < count; ++i) {
    const assay_check_tensor& given = element(tensors, i);
    if (given.role == nullptr || *given.role == '\0') throw UsageError("tensors: number " + std::to_string(i) + " has no role");
    if (!roles.emplace(given.role, given_tensor(given, given.role)).second)
      throw UsageError("tensor '" + std::string(given.role) + "': given twice");
  }
  return roles;
}

std::map<std::string, std::string> given_parameters(const assay_check_parameter* parameters, int32_t count) {
  std::map<std::string, std::string> values;
  if (count < 0 || (count > 0 && parameters == nullptr))
    throw UsageError("parameters: expected " + std::to_string(count) + " of them, got NULL");
  for (int32_t i = 0; i < count; ++i) {
    if (parameters[i].name == nullptr || parameters[i].value == nullptr)
      throw UsageError("parameters: number " + std::to_string(i) + " has no name or no value");
    if (!values.emplace(parameters[i].name, parameters[i].value).second)
      throw UsageError("parameter '" + std::string(parameters[i].name) + "': given twice");
  }
  return values;
}

std::string without_file(std::string message) {
  const std::string file = std::string(kGiven) + ": ";
  for (size_t at; (at = message.find(file)) != std::string::npos;) message.erase(at, file.size());
  return message;
}

}  // namespace assay
