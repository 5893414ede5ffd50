#include "harness/dump/safetensors.h"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

#include "harness/core/tensor.h"
#include "harness/text/guarded_json.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr uint64_t kMostJsonHeader = 100'000'000;
/// Nesting: header, tensor, shape. Limits: a shape has at most kMostDimensions extents, and no known file has 100,000 tensors.
constexpr JsonLimits kLimits{.levels = 3, .members = size_t{1} << 19, .values = size_t{1} << 21, .list = 2 * kMostDimensions};

struct Dtype {
  const char* name;
  int bits;
  const Format* format;
};

/// Every dtype of the file format. Tensors of dtypes without one of our formats can be present but not checked.
constexpr Dtype kDtypes[] = {{"F32", 32, &kF32},
                             {"F16", 16, &kF16},
                             {"BF16", 16, &kBf16},
                             {"F8_E4M3", 8, &kE4M3Fn},
                             {"F8_E5M2", 8, &kE5M2},
                             {"F8_E8M0", 8, &kE8M0},
                             {"F8_E4M3FNUZ", 8, &kE4M3Fnuz},
                             {"F8_E5M2FNUZ", 8, &kE5M2Fnuz},
                             {"I32", 32, &kInt32},
                             {"I8", 8, &kInt8},
                             {"U8", 8, nullptr},
                             {"U32", 32, nullptr},
                             {"BOOL", 8, nullptr},
                             {"F4", 4, &kE2M1},
                             {"F6_E2M3", 6, nullptr},
                             {"F6_E3M2", 6, nullptr},
                             {"I16", 16, nullptr},
                             {"U16", 16, nullptr},
                             {"I64", 64, nullptr},
                             {"U64", 64, nullptr},
                             {"F64", 64, nullptr},
                             {"C64", 64, nullptr}};

/// Codes without a dtype of their own are stored as bytes; the metadata of a recording names their format.
const char* dtype_of(const TensorBytes& tensor) {
  if (*tensor.format == kInt64) return "I64";
  for (const Dtype& dtype : kDtypes)
    if (dtype.format != nullptr && *dtype.format == *tensor.format && dtype.bits == tensor.bits()) return dtype.name;
  if (tensor.bits() == 8) return "U8";
  throw std::logic_error("safetensors has no dtype for " + std::string(tensor.format->name));
}

json parsed_header(const std::string& text, const std::string& file) {
  if (text.empty() || text.front() != '{') throw DumpError(file, "byte 8", "the header does not begin with '{'");
  try {
    return guarded_json(text, file, kLimits);
  } catch (const JsonError& error) {
    throw DumpError(file, "byte " + std::to_string(8 + error.byte()), "the header " + error.problem());
  }
}

const json& member(const json& tensor, const char* name, json::value_t type, const std::string& file, const std::string& place) {
  const auto found = tensor.find(name);
  if (found == tensor.end()) throw DumpError(file, place, std::string("lacks ") + name);
  if (found->type() != type)
    throw DumpError(file, place, std::string(name) + " is " + found->type_name() + ", not " + json(type).type_name());
  return *found;
}

std::vector<int64_t> integers(const json& list, const char* name, const std::string& file, const std::string& place) {
  std::vector<int64_t> numbers;
  for (const json& number : list) {
    if (!number.is_number_unsigned() || number.get<uint64_t>() > uint64_t(std::numeric_limits<int64_t>::max()))
      throw DumpError(file, place,
                      std::string(name) + " holds " + number.dump().substr(0, 40) + ", which is not an integer from 0 to 2^63 - 1");
    numbers.push_back(int64_t(number.get<uint64_t>()));
  }
  return numbers;
}

StoredTensor tensor_from(const std::string& name, const json& j, uint64_t data, uint64_t size, const std::string& file) {
  const std::string place = "tensor '" + name + "'";
  if (!j.is_object()) throw DumpError(file, place, std::string("is ") + j.type_name() + ", not object");
  StoredTensor tensor;
  tensor.name = name;
  tensor.dtype = member(j, "dtype", json::value_t::string, file, place).get<std::string>();
  const auto* dtype =
      std::find_if(std::begin(kDtypes), std::end(kDtypes), [&](const Dtype& d) { return tensor.dtype == d.name; });
  if (dtype == std::end(kDtypes)) throw DumpError(file, place, "unknown dtype '" + tensor.dtype + "'");
  tensor.bits = dtype->bits;
  tensor.format = dtype->format;
  tensor.shape = integers(member(j, "shape", json::value_t::array, file, place), "shape", file, place);
  if (tensor.shape.size() > kMostDimensions)
    throw DumpError(
        file, place,
        "has " + std::to_string(tensor.shape.size()) + " dimensions; this program reads " + std::to_string(kMostDimensions));
  const std::vector<int64_t> offsets =
      integers(member(j, "data_offsets", json::value_t::array, file, place), "data_offsets", file, place);
  if (offsets.size() != 2 || offsets[0] > offsets[1])
    throw DumpError(file, place, "data_offsets " + extents_text(offsets) + " are not begin and end offsets");
  if (uint64_t(offsets[1]) > size - data)
    throw DumpError(file, place,
                    "data_offsets " + extents_text(offsets) + " run out of the file, which holds " + std::to_string(size - data) +
                        " bytes of data");
  const uint64_t needed = checked_bytes(file, place, tensor.shape, tensor.bits);
  if (needed != uint64_t(offsets[1] - offsets[0]))
    throw DumpError(file, place,
                    tensor.dtype + " " + extents_text(tensor.shape) + " needs " + std::to_string(needed) +
                        " bytes, data_offsets " + extents_text(offsets) + " give " + std::to_string(offsets[1] - offsets[0]));
  tensor.begin = data + uint64_t(offsets[0]);
  tensor.end = data + uint64_t(offsets[1]);
  if (needed > 0)
    tensor.strides = dense("", Role::kInput, kInt8, tensor.shape).strides;
  else
    tensor.strides.assign(tensor.shape.size(), 1);
  return tensor;
}

/// The format allows no gaps: a gap means a damaged file or hidden data.
void check_order(const Dump& dump, uint64_t data, uint64_t size) {
  uint64_t at = data;
  for (const StoredTensor& tensor : dump.tensors) {
    const std::string place = "tensor '" + tensor.name + "'";
    const std::string begins = "begins at byte " + std::to_string(tensor.begin - data) + " of the data, ";
    if (tensor.begin < at)
      throw DumpError(dump.file, place, begins + "inside the previous tensor, which ends at " + std::to_string(at - data));
    if (tensor.begin > at)
      throw DumpError(dump.file, place, begins + "and nothing holds the bytes from " + std::to_string(at - data) + " on");
    at = tensor.end;
  }
  if (at != size)
    throw DumpError(dump.file, "byte " + std::to_string(at), std::to_string(size - at) + " bytes after the last tensor");
}

}  // namespace

Dump index_safetensors(std::istream& stream, uint64_t size, const std::string& file) {
  if (size < 8)
    throw DumpError(file, "", "has " + std::to_string(size) + " bytes; a safetensors file begins with 8 bytes of header length");
  unsigned char head[8] = {};
  stream.read(reinterpret_cast<char*>(head), 8);
  uint64_t length = 0;
  for (int i = 7; i >= 0; --i) length = length << 8 | head[i];
  if (length > size - 8)
    throw DumpError(file, "byte 0",
                    "a header of " + std::to_string(length) + " bytes runs past the end of the file of " + std::to_string(size));
  if (length > kMostJsonHeader)
    throw DumpError(file, "byte 0", "a header of " + std::to_string(length) + " bytes; the format allows 100000000");
  std::string text(size_t(length), '\0');
  stream.read(text.data(), std::streamsize(length));
  if (!stream) throw DumpError(file, "", "cannot be read");

  const json header = parsed_header(text, file);
  Dump dump{file, {}, {}};
  for (const auto& [name, value] : header.items()) {
    if (name != "__metadata__") {
      dump.tensors.push_back(tensor_from(name, value, 8 + length, size, file));
      continue;
    }
    if (!value.is_object()) throw DumpError(file, "__metadata__", std::string("is ") + value.type_name() + ", not object");
    for (const auto& [key, word] : value.items()) {
      if (!word.is_string()) throw DumpError(file, "__metadata__", "'" + key + "' is " + word.type_name() + ", not string");
      dump.metadata[key] = word.get<std::string>();
    }
  }
  std::stable_sort(dump.tensors.begin(), dump.tensors.end(), [](const StoredTensor& a, const StoredTensor& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  check_order(dump, 8 + length, size);
  return dump;
}

std::string safetensors_text(const std::vector<TensorBytes>& tensors, const std::map<std::string, std::string>& metadata) {
  ordered_json header = ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  uint64_t at = 0;
  for (const TensorBytes& tensor : tensors) {
    if (checked_bytes("", tensor.name, tensor.shape, tensor.bits()) != tensor.bytes.size())
      throw std::logic_error("tensor '" + tensor.name + "' holds " + std::to_string(tensor.bytes.size()) +
                             " bytes, not those of " + extents_text(tensor.shape));
    header[tensor.name] = {
        {"dtype", dtype_of(tensor)}, {"shape", tensor.shape}, {"data_offsets", {at, at + tensor.bytes.size()}}};
    at += tensor.bytes.size();
  }
  std::string text = header.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
  text.resize((text.size() + 7) / 8 * 8, ' ');  // pads the header, so that the data are aligned as the format demands
  std::string file(8, '\0');
  for (int i = 0; i < 8; ++i) file[size_t(i)] = char(uint64_t(text.size()) >> (8 * i) & 0xff);
  file += text;
  file.reserve(file.size() + at);
  for (const TensorBytes& tensor : tensors) file.append(reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size());
  return file;
}

}  // namespace assay
