// The two formats of tensor files: NumPy's .npy and safetensors.
#include <algorithm>
#include <cctype>
#include <cstring>
#include <nlohmann/json.hpp>

#include "harness/core/tensor.h"
#include "harness/dump/dump.h"
#include "harness/text/guarded_json.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

// NumPy's .npy format: magic bytes, a Python dictionary as text, one array.

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr uint64_t kMostNpyHeader = 1 << 20;

struct Descr {
  const char* name;
  int bits;
  const Format* format;  ///< nullptr: untyped bytes whose format must be stated
};

constexpr Descr kDescrs[] = {{"<f4", 32, &kF32},
                             {"<f2", 16, &kF16},
                             {"<i4", 32, &kInt32},
                             {"|i1", 8, &kInt8},
                             {"<i1", 8, &kInt8},
                             {"|u1", 8, nullptr},
                             {"<u1", 8, nullptr},
                             {"<u4", 32, nullptr},
                             {"<u2", 16, nullptr},
                             {"|V1", 8, nullptr},
                             {"<V1", 8, nullptr},
                             {"|V2", 16, nullptr},
                             {"<V2", 16, nullptr},
                             {"|f1", 8, nullptr},
                             {"<f1", 8, nullptr},
                             // names of ml_dtypes; some programs write them
                             {"bfloat16", 16, &kBf16},
                             {"float8_e4m3fn", 8, &kE4M3Fn},
                             {"float8_e4m3fnuz", 8, &kE4M3Fnuz},
                             {"float8_e5m2", 8, &kE5M2},
                             {"float8_e5m2fnuz", 8, &kE5M2Fnuz},
                             {"float8_e8m0fnu", 8, &kE8M0}};

/// Parses the single dictionary of a header. Only the tuple of the shape is nested.
class Dictionary {
 public:
  Dictionary(const std::string& text, uint64_t start, const std::string& file) : text_(text), start_(start), file_(file) {}

  std::string descr;
  bool fortran = false;
  std::vector<int64_t> shape;

  void read() {
    bool seen_descr = false, seen_order = false, seen_shape = false;
    expect('{');
    while (!accept('}')) {
      const std::string key = quoted();
      expect(':');
      bool& seen = key == "descr" ? seen_descr : key == "fortran_order" ? seen_order : key == "shape" ? seen_shape : unknown(key);
      if (seen) refuse("'" + key + "' appears twice");
      seen = true;
      if (key == "descr") read_descr();
      if (key == "fortran_order") read_order();
      if (key == "shape") read_shape();
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    blanks();
    if (at_ != text_.size()) refuse("text after the dictionary");
    if (!seen_descr || !seen_order || !seen_shape) refuse("the header lacks descr, fortran_order or shape");
  }

 private:
  [[noreturn]] void refuse(const std::string& problem) const {
    throw DumpError(file_, "byte " + std::to_string(start_ + at_), problem);
  }
  [[noreturn]] bool& unknown(const std::string& key) const {
    refuse("'" + key.substr(0, 40) + "' is not one of descr, fortran_order, shape");
  }
  void blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t')) ++at_;
  }
  bool accept(char c) {
    blanks();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) refuse(std::string("'") + c + "' is missing");
  }
  std::string quoted() {
    blanks();
    const char quote = at_ < text_.size() ? text_[at_] : '\0';
    if (quote != '\'' && quote != '"') refuse("expected a quoted string");
    const size_t end = text_.find(quote, at_ + 1);
    if (end == std::string::npos) refuse("a quote is never closed");
    const std::string word = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return word;
  }
  void read_descr() {
    if (accept('[') || accept('(')) refuse("descr is a structure; only arrays of numbers are read");
    descr = quoted();
  }
  void read_order() {
    blanks();
    const bool yes = text_.compare(at_, 4, "True") == 0, no = text_.compare(at_, 5, "False") == 0;
    if (!yes && !no) refuse("fortran_order is neither True nor False");
    fortran = yes;
    at_ += yes ? 4 : 5;
  }
  void read_shape() {
    expect('(');
    while (!accept(')')) {
      blanks();
      if (at_ < text_.size() && text_[at_] == '-') refuse("shape has a negative extent");
      size_t end = at_;
      while (end < text_.size() && std::isdigit(static_cast<unsigned char>(text_[end])) != 0) ++end;
      if (end == at_) refuse("shape has an extent that is not an integer");
      if (end - at_ > 18) refuse("shape has too many elements");
      shape.push_back(std::stoll(text_.substr(at_, end - at_)));
      if (shape.size() > kMostDimensions) refuse("shape has more than " + std::to_string(kMostDimensions) + " dimensions");
      at_ = end;
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
  }

  const std::string& text_;
  uint64_t start_;
  const std::string& file_;
  size_t at_ = 0;
};

std::vector<int64_t> strides_of(const std::vector<int64_t>& shape, bool fortran) {
  std::vector<int64_t> strides(shape.size(), 1);
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return strides;
  int64_t stride = 1;
  for (size_t i = 0; i < shape.size(); ++i) {
    const size_t d = fortran ? i : shape.size() - 1 - i;
    strides[d] = stride;
    stride *= shape[d];
  }
  return strides;
}

Descr type_of(const std::string& descr, const Format* stated, const std::string& file) {
  if (descr.starts_with('>')) throw DumpError(file, "descr", "'" + descr + "' is big-endian; save it as little-endian");
  if (descr.find('O') != std::string::npos)
    throw DumpError(file, "descr", "'" + descr + "' holds Python objects, which are never read");
  const auto* found = std::find_if(std::begin(kDescrs), std::end(kDescrs), [&](const Descr& d) { return descr == d.name; });
  if (found == std::end(kDescrs))
    throw DumpError(file, "descr", "'" + descr.substr(0, 40) + "' is a type for which Assay has no format");
  Descr type = *found;
  if (stated == nullptr) return type;
  if (stated->bits != type.bits)
    throw DumpError(file, "descr",
                    "'" + descr + "' has " + std::to_string(type.bits) + " bits and cannot be " + std::string(stated->name));
  if (type.format != nullptr && !(*type.format == *stated))
    throw DumpError(file, "descr", "'" + descr + "' is " + std::string(type.format->name) + ", not " + std::string(stated->name));
  type.format = stated;
  return type;
}

}  // namespace

Dump index_npy(std::istream& stream, uint64_t size, const std::string& file, const Format* stated) {
  std::string head(size_t(std::min<uint64_t>(size, 12)), '\0');
  stream.read(head.data(), std::streamsize(head.size()));
  if (!stream) throw DumpError(file, "", "cannot be read");
  if (head.size() < 12 || !head.starts_with(kMagic))
    throw DumpError(file, "byte 0", "is not an .npy file: it does not begin with \\x93NUMPY");
  const auto byte = [&](size_t i) { return uint64_t(static_cast<unsigned char>(head[i])); };
  const int version = int(byte(6));
  if (version < 1 || version > 3)
    throw DumpError(file, "byte 6", "version " + std::to_string(version) + "; this program reads 1, 2 and 3");
  const uint64_t start = version == 1 ? 10 : 12;
  const uint64_t length = version == 1 ? byte(8) | byte(9) << 8 : byte(8) | byte(9) << 8 | byte(10) << 16 | byte(11) << 24;
  if (length > size - start)
    throw DumpError(file, "byte 8",
                    "a header of " + std::to_string(length) + " bytes runs past the end of the file of " + std::to_string(size));
  if (length > kMostNpyHeader)
    throw DumpError(file, "byte 8", "a header of " + std::to_string(length) + " bytes is too long");
  std::string text(size_t(length), '\0');
  stream.seekg(std::streamoff(start));
  stream.read(text.data(), std::streamsize(length));
  if (!stream) throw DumpError(file, "", "cannot be read");

  Dictionary header(text, start, file);
  header.read();
  const Descr type = type_of(header.descr, stated, file);
  const uint64_t needed = checked_bytes(file, "shape", header.shape, type.bits), there = size - start - length;
  if (needed != there)
    throw DumpError(file, "byte " + std::to_string(start + length),
                    "'" + header.descr + "' " + extents_text(header.shape) + " needs " + std::to_string(needed) + " bytes and " +
                        std::to_string(there) + " follow");
  StoredTensor tensor{"array",        header.descr, type.format,
                      type.bits,      header.shape, strides_of(header.shape, header.fortran),
                      start + length, size};
  return {file, {std::move(tensor)}, {}};
}

std::string npy_text(const Format& format, const std::vector<int64_t>& shape, std::span<const std::byte> bytes) {
  std::string descr = format.bits == 8 ? "|V1" : "<V2";
  for (const Descr& known : kDescrs) {
    const bool numpy = known.format != nullptr && *known.format == format && known.name[0] != 'b' && known.name[0] != 'f';
    if (numpy) {
      descr = known.name;
      break;
    }
  }
  std::string extents;
  for (const int64_t extent : shape) extents += std::to_string(extent) + ", ";
  std::string header = "{'descr': '" + descr + "', 'fortran_order': False, 'shape': (" + extents + "), }";
  header.resize((10 + header.size() + 1 + 63) / 64 * 64 - 10 - 1, ' ');
  header += '\n';
  std::string text(kMagic);
  text += {'\1', '\0', char(header.size() & 0xff), char(header.size() >> 8 & 0xff)};
  return text + header + std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

namespace {

// The safetensors format: 8 bytes of header length, a JSON header, then the tensors without gaps.

constexpr uint64_t kMostJsonHeader = 100'000'000;
/// Levels of nesting: header, tensor, shape. A shape has at most kMostDimensions extents, and no known file has 100,000 tensors.
constexpr JsonLimits kLimits{.levels = 3, .members = size_t{1} << 19, .values = size_t{1} << 21, .list = 2 * kMostDimensions};

struct Dtype {
  const char* name;
  int bits;
  const Format* format;
};

/// Every dtype of safetensors. Files may have tensors of dtypes that Assay has no format for, but these cannot be checked.
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
      throw DumpError(
          file, place,
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
                    "data_offsets " + extents_text(offsets) + " exceed the file, which holds " + std::to_string(size - data) +
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

/// Rejects gaps between tensors: safetensors allows none, so a file with gaps is damaged or hides data.
void check_order(const Dump& dump, uint64_t data, uint64_t size) {
  uint64_t at = data;
  for (const StoredTensor& tensor : dump.tensors) {
    const std::string place = "tensor '" + tensor.name + "'";
    const std::string begins = "begins at byte " + std::to_string(tensor.begin - data) + " of the data, ";
    if (tensor.begin < at)
      throw DumpError(dump.file, place, begins + "inside the previous tensor, which ends at " + std::to_string(at - data));
    if (tensor.begin > at)
      throw DumpError(dump.file, place, begins + "and no tensor holds the bytes from " + std::to_string(at - data) + " on");
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
  text.resize((text.size() + 7) / 8 * 8, ' ');  // blanks at the end of the header align the data as the format demands
  std::string file(8, '\0');
  for (int i = 0; i < 8; ++i) file[size_t(i)] = char(uint64_t(text.size()) >> (8 * i) & 0xff);
  file += text;
  file.reserve(file.size() + at);
  for (const TensorBytes& tensor : tensors) file.append(reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size());
  return file;
}

}  // namespace assay
