#include "harness/dump/npy.h"

#include <algorithm>
#include <cctype>

#include "reference/formats/catalogue.h"

namespace assay {
namespace {

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
                             // names of ml_dtypes, which some writers use
                             {"bfloat16", 16, &kBf16},
                             {"float8_e4m3fn", 8, &kE4M3Fn},
                             {"float8_e4m3fnuz", 8, &kE4M3Fnuz},
                             {"float8_e5m2", 8, &kE5M2},
                             {"float8_e5m2fnuz", 8, &kE5M2Fnuz},
                             {"float8_e8m0fnu", 8, &kE8M0}};

/// Parses the single dictionary of a header. The deepest nesting is the tuple of the shape.
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
      if (seen) refuse("'" + key + "' stands twice");
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
    if (quote != '\'' && quote != '"') refuse("a word in quotes is missing");
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
    throw DumpError(file, "descr", "'" + descr.substr(0, 40) + "' is a type without a format of Assay");
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

}  // namespace assay
