#include "harness/dump/lint.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "harness/text/messages.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

constexpr uint64_t kWindow = uint64_t{32} << 20;  ///< number of bytes after which the memory of a mapping is released

/// A file mapped for reading. Its size was checked when its header was read.
class Mapping {
 public:
  explicit Mapping(const std::string& file) {
    const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat status {};
    if (descriptor < 0 || ::fstat(descriptor, &status) != 0) throw DumpError(file, "file", "cannot be opened");
    size_ = uint64_t(status.st_size);
    void* const at = size_ == 0 ? MAP_FAILED : ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, descriptor, 0);
    ::close(descriptor);
    if (at == MAP_FAILED) throw DumpError(file, "file", "cannot be mapped into memory");
    data_ = static_cast<const uint8_t*>(at);
    ::madvise(at, size_, MADV_SEQUENTIAL);
  }
  ~Mapping() { ::munmap(const_cast<uint8_t*>(data_), size_); }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  const uint8_t* at(uint64_t offset) const { return data_ + offset; }

  /// Frees the memory of the whole pages in [begin, end).
  void release(uint64_t begin, uint64_t end) const {
    const uint64_t page = uint64_t(::sysconf(_SC_PAGESIZE)), first = (begin + page - 1) / page * page, last = end / page * page;
    if (first < last) ::madvise(const_cast<uint8_t*>(data_ + first), last - first, MADV_DONTNEED);
  }

 private:
  const uint8_t* data_ = nullptr;
  uint64_t size_ = 0;
};

struct Shard {
  Dump dump;
  std::unique_ptr<Mapping> mapping;
};

/// A tensor, and the mapping of the file that contains it.
struct Located {
  const StoredTensor* tensor = nullptr;
  const Mapping* mapping = nullptr;

  const uint8_t* data() const { return mapping->at(tensor->begin); }
  uint64_t bytes() const { return tensor->end - tensor->begin; }
  int64_t dimension(size_t from_end) const {
    return tensor->shape.size() < from_end ? 1 : tensor->shape[tensor->shape.size() - from_end];
  }
};

enum class Scale : uint8_t { kE4m3, kE8m0, kF32, kBf16, kF16 };

/// The values of all 256 codes of an 8-bit format.
std::array<float, 256> values_of(const Format& format) {
  std::array<float, 256> values{};
  for (uint32_t byte = 0; byte < values.size(); ++byte) values[byte] = float(decode(format, byte));
  return values;
}

float scale_value(Scale kind, const uint8_t* at) {
  static const std::array<float, 256> e4m3 = values_of(kE4M3Fn), e8m0 = values_of(kE8M0);
  uint16_t half = 0;
  float value = 0;
  switch (kind) {
    case Scale::kE4m3: return e4m3[*at];
    case Scale::kE8m0: return e8m0[*at];
    case Scale::kF32: std::memcpy(&value, at, 4); return value;
    default: std::memcpy(&half, at, 2); return float(decode(kind == Scale::kBf16 ? kBf16 : kF16, half));
  }
}

int scale_bytes(Scale kind) { return kind == Scale::kF32 ? 4 : kind == Scale::kBf16 || kind == Scale::kF16 ? 2 : 1; }

std::optional<Scale> scale_kind(const StoredTensor& tensor) {
  if (tensor.dtype == "U8" || tensor.dtype == "F8_E8M0") return Scale::kE8m0;
  if (tensor.dtype == "F8_E4M3") return Scale::kE4m3;
  if (tensor.dtype == "F32") return Scale::kF32;
  if (tensor.dtype == "BF16") return Scale::kBf16;
  if (tensor.dtype == "F16") return Scale::kF16;
  return std::nullopt;
}

/// A quantized tensor: codes, and the scales of their blocks.
struct Quantized {
  std::string scheme;
  Located codes, scales;
  std::optional<Located> global;
  bool global_multiplies = false;  ///< the quantizer multiplied values by the global scale; otherwise it divided
  Scale scale;
  bool four_bits = false;
  int64_t rows = 0, row_bytes = 0;                  ///< extents of the codes; leading dimensions are flattened into rows
  int64_t block_rows = 1, block_bytes = 0;          ///< extents of a block: rows, and bytes of codes in each row
  int64_t scale_rows = 0, scales_per_row = 0;       ///< extents of the scales; leading dimensions are flattened into rows
  int64_t rows_of_matrix = 0, scale_rows_of_matrix = 0;  ///< rows of each matrix, if the tensors are stacks of matrices
};

/// A block: its scale, and facts about its codes.
struct Block {
  int64_t row = 0, column = 0;  ///< position, counted in blocks
  uint8_t byte = 0;             ///< the code of the scale, if it has 8 bits
  float scale = 0;
  int most = 0;                 ///< largest code, sign bit dropped
  int at_limit = 0;             ///< number of codes with the value 6 or -6; 4-bit codes only
};

/// How many blocks have a problem, and the first of them.
struct Count {
  int64_t blocks = 0;
  std::string first;
};

std::string place_of(const Block& block) { return fmt::format("row {}, block {}", block.row, block.column); }
std::string scale_text(Scale kind, const Block& block) {
  return scale_bytes(kind) == 1 ? fmt::format("scale byte 0x{:02x}", block.byte) : fmt::format("scale {:.6g}", block.scale);
}

/// Largest scale of a block of zeros: quantizers have lower bounds of scales such as 1e-10 / 6.
constexpr float kTinyScale = 0x1p-30f;
constexpr uint8_t kE4m3Nan = 0x7f, kE4m3Largest = 0x7e, kTorchaoFloor = 0x08, kAiterFloor = 91;

/// The smallest possible value of the largest code, sign dropped, in a block whose scale `byte` is a rounded amax / 6 or amax / 4
/// (4over6).
int least_of_nvfp4(uint8_t byte) {
  constexpr std::array<int, 5> of_subnormal = {0, 4, 5, 5, 6};  // the code of 4 (b - 1/2) / b, for a scale of b * 2^-9
  return byte < of_subnormal.size() ? of_subnormal[byte] : 6;
}

/// Names the problem of a block, or returns nullptr.
const char* problem_of(const Quantized& of, const Block& block) {
  const bool fp8 = !of.four_bits;
  if (fp8 && block.most == kE4m3Nan) return "NaN code";
  if (std::isnan(block.scale)) return "NaN scale";
  if (std::isinf(block.scale)) return "infinite scale: before the cast, the scale was above the format's maximum";
  if (std::signbit(block.scale)) return "negative scale";
  const bool mx = of.scale == Scale::kE8m0;
  if (mx && block.byte == 254) return "largest scale 2^127: before the cast, the scale was above the format's maximum";
  const bool none = mx ? block.byte == 0 : block.scale < std::numeric_limits<float>::min();
  if (none) return block.most > 0 ? "scale underflowed, although codes are not 0" : nullptr;
  if (of.scale == Scale::kE4m3) {
    if (block.byte == kE4m3Largest && block.at_limit >= of.block_bytes)
      return "clipped: the scale is 448 and at least half of the codes are 6 or -6, so the scale was above the format's maximum "
             "before the cast";
    if (block.byte == kTorchaoFloor) return nullptr;
    if (block.most == 0) return "dead block: all codes are 0, but the scale is larger than for zeros";
    return block.most < least_of_nvfp4(block.byte)
               ? "no scale rule gives these codes: the largest code is too small for a scale of amax / 6"
               : nullptr;
  }
  if (block.most == 0)
    return block.scale > kTinyScale ? "dead block: all codes are 0, but the scale is larger than for zeros" : nullptr;
  if (block.scale <= kTinyScale || (mx && block.byte == kAiterFloor)) return nullptr;
  if (of.four_bits) return block.most < 4 ? "no scale rule gives these codes: the largest is below 2" : nullptr;
  constexpr int code_of_128 = 0x70, code_of_208 = 0x75;
  if (mx) return block.most < code_of_128 ? "no scale rule gives these codes: the largest is below 128" : nullptr;
  return block.most < code_of_208 ? "no scale rule gives these codes: the largest is below 208" : nullptr;
}

// Reader of codes. For a byte of two 4-bit codes, tables give the larger code (signs dropped) and how many have the value 6 or
// -6.

struct PairTables {
  std::array<uint8_t, 256> most{}, at_limit{};
  constexpr PairTables() {
    for (unsigned byte = 0; byte < 256; ++byte) {
      const unsigned low = byte & 7, high = byte >> 4 & 7;
      most[byte] = uint8_t(low > high ? low : high);
      at_limit[byte] = uint8_t((low == 7) + (high == 7));
    }
  }
};
constexpr PairTables kPairs;

void read_codes(const Quantized& of, const uint8_t* codes, int64_t bytes, int& most, int& at_limit) {
  if (of.four_bits) {
    for (int64_t i = 0; i < bytes; ++i) {
      most = std::max<int>(most, kPairs.most[codes[i]]);
      at_limit += kPairs.at_limit[codes[i]];
    }
    return;
  }
  uint8_t largest = 0;
  for (int64_t i = 0; i < bytes; ++i) largest = std::max<uint8_t>(largest, codes[i] & 0x7f);
  most = std::max<int>(most, largest);
}

/// Calls visit for each block, in order.
template <class Visit>
void for_each_block(const Quantized& of, Visit visit) {
  const int size = scale_bytes(of.scale);
  std::vector<int> most(size_t(of.scales_per_row)), at_limit(size_t(of.scales_per_row));
  uint64_t released = of.codes.tensor->begin;
  for (int64_t scale_row = 0; scale_row < of.scale_rows; ++scale_row) {
    const int64_t matrix = scale_row / of.scale_rows_of_matrix, in_matrix = scale_row % of.scale_rows_of_matrix;
    const int64_t first = matrix * of.rows_of_matrix + in_matrix * of.block_rows;
    const int64_t last = std::min(first + of.block_rows, (matrix + 1) * of.rows_of_matrix);
    std::fill(most.begin(), most.end(), 0);
    std::fill(at_limit.begin(), at_limit.end(), 0);
    for (int64_t row = first; row < last; ++row) {
      const uint8_t* const codes = of.codes.data() + row * of.row_bytes;
      for (int64_t b = 0; b < of.scales_per_row; ++b)
        read_codes(of, codes + b * of.block_bytes, std::min(of.block_bytes, of.row_bytes - b * of.block_bytes), most[size_t(b)],
                   at_limit[size_t(b)]);
    }
    for (int64_t b = 0; b < of.scales_per_row; ++b) {
      const uint8_t* const at = of.scales.data() + (scale_row * of.scales_per_row + b) * size;
      visit(Block{scale_row, b, *at, scale_value(of.scale, at), most[size_t(b)], at_limit[size_t(b)]});
    }
    const uint64_t read = of.codes.tensor->begin + uint64_t(last * of.row_bytes);
    if (read - released < kWindow) continue;
    of.codes.mapping->release(released, read);
    of.scales.mapping->release(of.scales.tensor->begin,
                               of.scales.tensor->begin + uint64_t((scale_row + 1) * of.scales_per_row * size));
    released = read;
  }
  of.codes.mapping->release(released, of.codes.tensor->end);
  of.scales.mapping->release(of.scales.tensor->begin, of.scales.tensor->end);
}

// Global scales.

/// Smallest and largest plausible magnitude of the largest weight in a tensor; in trained models it is about 1.
constexpr double kLeastWeight = 1e-6, kMostWeight = 1e4;
constexpr float kLeastUsed = 448.0f / 16;

void check_global(const Quantized& of, float largest_scale, LintReport& report) {
  const std::string& name = of.global->tensor->name;
  const auto add = [&](const std::string& what, const std::string& first) {
    report.findings.push_back({name, what, 1, 1, first});
  };
  const std::optional<Scale> kind = scale_kind(*of.global->tensor);
  if (!kind || scale_bytes(*kind) == 1) return;
  const int64_t count = of.global->tensor->elements();
  for (int64_t i = 0; i < count; ++i) {
    const float value = scale_value(*kind, of.global->data() + i * scale_bytes(*kind));
    if (!std::isfinite(value) || value <= 0) return add("global scale is not a positive number", fmt::format("{:.6g}", value));
    if (count > 1) continue;  // a global scale per expert cannot be compared with `largest_scale`, the maximum over all experts
    const double decode = of.global_multiplies ? 1 / double(value) : double(value), weight = 6 * double(largest_scale) * decode;
    if (largest_scale > 0 && (weight < kLeastWeight || weight > kMostWeight))
      add("global scale does not fit its blocks",
          fmt::format("{:.6g}: the largest weight would be {:.3g}, or {:.3g} with the reciprocal", value, weight,
                      6 * double(largest_scale) / decode));
    else if (largest_scale > 0 && largest_scale < kLeastUsed)
      add("global scale does not fit its blocks",
          fmt::format("{:.6g}: the largest block scale is {:.6g}, although 448 is possible", value, largest_scale));
  }
}

void check_blocks(const Quantized& of, LintReport& report) {
  std::map<std::string, Count> counts;
  float largest = 0;
  for_each_block(of, [&](const Block& block) {
    if (!std::isnan(block.scale)) largest = std::max(largest, block.scale);
    const char* const problem = problem_of(of, block);
    if (problem == nullptr) return;
    Count& count = counts[problem];
    if (count.blocks++ == 0)
      count.first = fmt::format("{}: {}, largest code 0x{:x}", place_of(block), scale_text(of.scale, block), block.most);
  });
  for (const auto& [what, count] : counts)
    report.findings.push_back({of.codes.tensor->name, what, count.blocks, of.scale_rows * of.scales_per_row, count.first});
  if (of.global) check_global(of, largest, report);
}

// Names.

bool has_codes(const StoredTensor& tensor) {
  return tensor.bits == 8 && (tensor.dtype == "U8" || tensor.dtype == "I8" || tensor.dtype == "F8_E4M3");
}

/// The quantized tensor with these codes and scales, or nothing if no scheme has such shapes.
std::optional<Quantized> quantized(const Located& codes, const Located& scales, const std::optional<Located>& multiplies,
                                   const std::optional<Located>& divides, bool packed_name, bool inverse_name) {
  const std::optional<Scale> kind = scale_kind(*scales.tensor);
  if (!kind || codes.tensor->shape.size() < 2) return std::nullopt;
  Quantized of{.scheme = {},
               .codes = codes,
               .scales = scales,
               .global = multiplies ? multiplies : divides,
               .global_multiplies = multiplies.has_value(),
               .scale = *kind};
  of.four_bits = codes.tensor->dtype != "F8_E4M3";
  of.row_bytes = codes.dimension(1), of.rows_of_matrix = codes.dimension(2), of.scales_per_row = scales.dimension(1);
  of.scale_rows_of_matrix = scales.dimension(2);
  if (of.row_bytes == 0 || of.rows_of_matrix == 0 || of.scales_per_row == 0 || of.scale_rows_of_matrix == 0) return std::nullopt;
  of.rows = codes.tensor->elements() / of.row_bytes, of.scale_rows = scales.tensor->elements() / of.scales_per_row;
  const int64_t columns = of.row_bytes * (of.four_bits ? 2 : 1);
  const bool same_rows = of.scale_rows == of.rows && of.scale_rows_of_matrix == of.rows_of_matrix;
  const auto blocks_of = [&](int64_t size) { return same_rows && of.scales_per_row * size == columns; };
  if (of.four_bits) {
    if (*kind == Scale::kE4m3 && blocks_of(16)) of.scheme = packed_name ? "NVFP4 (compressed-tensors)" : "NVFP4 (ModelOpt)";
    if (*kind == Scale::kE8m0 && blocks_of(32)) of.scheme = packed_name ? "MXFP4 (compressed-tensors)" : "MXFP4 (Quark)";
    of.block_bytes = *kind == Scale::kE4m3 ? 8 : 16;
  } else if (*kind == Scale::kE8m0) {
    if (blocks_of(32)) of.scheme = "MXFP8";
    of.block_bytes = 32;
  } else if (scale_bytes(*kind) > 1 && of.scale_rows / of.scale_rows_of_matrix == of.rows / of.rows_of_matrix &&
             scales.tensor->shape.size() >= 2) {
    constexpr int64_t kSide = 128;
    if (of.scale_rows_of_matrix == (of.rows_of_matrix + kSide - 1) / kSide && of.scales_per_row == (columns + kSide - 1) / kSide)
      of.scheme = inverse_name ? "FP8 blocks (DeepSeek)" : "FP8 blocks (compressed-tensors)";
    of.block_bytes = of.block_rows = kSide;
  }
  if (of.scheme.empty()) return std::nullopt;
  return of;
}

std::optional<std::string> without(const std::string& name, std::string_view ending) {
  if (!name.ends_with(ending)) return std::nullopt;
  return name.substr(0, name.size() - ending.size());
}

class Checkpoint {
 public:
  explicit Checkpoint(const std::vector<std::string>& files) {
    for (const std::string& file : files) {
      shards_.push_back({open_dump(file), std::make_unique<Mapping>(file)});
    }
    for (const Shard& shard : shards_)
      for (const StoredTensor& tensor : shard.dump.tensors) tensors_[tensor.name] = {&tensor, shard.mapping.get()};
  }

  LintReport lint() const {
    LintReport report;
    std::map<std::string, int> schemes;
    for (const Shard& shard : shards_)
      for (const StoredTensor& tensor : shard.dump.tensors) {
        const Located scales = tensors_.at(tensor.name);
        const bool inverse = tensor.name.ends_with("_scale_inv");
        const std::optional<std::string> base = inverse ? without(tensor.name, "_scale_inv") : without(tensor.name, "_scale");
        if (!base) continue;
        const std::optional<Located> packed = find(*base + "_packed"), plain = find(*base);
        const std::optional<Located> codes = packed ? packed : plain;
        if (!codes || !has_codes(*codes->tensor)) continue;  // the scale belongs to activations or a cache
        const auto found =
            quantized(*codes, scales, find(*base + "_global_scale"), find(*base + "_scale_2"), packed.has_value(), inverse);
        if (!found) {
          report.unknown.push_back(tensor.name);
          continue;
        }
        ++report.tensors, ++schemes[found->scheme];
        report.bytes += codes->bytes() + scales.bytes();
        check_blocks(*found, report);
      }
    for (const auto& [scheme, count] : schemes) report.schemes.push_back(fmt::format("{} {}", count, scheme));
    return report;
  }

 private:
  std::optional<Located> find(const std::string& name) const {
    const auto found = tensors_.find(name);
    return found == tensors_.end() ? std::nullopt : std::optional(found->second);
  }

  std::vector<Shard> shards_;
  std::map<std::string, Located> tensors_;
};

}  // namespace

LintReport lint_checkpoint(const std::vector<std::string>& files) {
  LintReport report = Checkpoint(files).lint();
  if (report.tensors == 0)
    throw UsageError(
        fmt::format(
            "{}: no quantized tensor found; --lint looks for codes and a scale whose name adds _scale or _scale_inv, such as "
            "proj.weight and proj.weight_scale",
            files.front()) +
        (report.unknown.empty()
             ? ""
             : fmt::format("; no quantization scheme that --lint knows has the shapes of '{}'", report.unknown.front())));
  return report;
}

std::string lint_text(const LintReport& report) {
  std::string text;
  for (const LintFinding& finding : report.findings)
    text +=
        fmt::format("FINDING  {}: {}\n         {}{}\n", finding.tensor, finding.what,
                    finding.of == 1 ? "" : fmt::format("{} of {} blocks, first: ", finding.blocks, finding.of), finding.first);
  for (const std::string& name : report.unknown)
    text += fmt::format("skipped  {}: no quantization scheme that --lint knows has its shape and type\n", name);
  std::string schemes;
  for (const std::string& scheme : report.schemes) schemes += (schemes.empty() ? "" : ", ") + scheme;
  text += report.findings.empty() ? "CLEAN: " : fmt::format("FINDINGS: {} in ", report.findings.size());
  text += fmt::format("{} tensors ({}), {:.1f} MB\n", report.tensors, schemes, double(report.bytes) / 1e6);
  return report.findings.empty()
             ? text + "         nothing impossible was found; whether these scales belong to these codes was not checked\n"
             : text;
}

}  // namespace assay
