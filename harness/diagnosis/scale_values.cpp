// Finds values that no scale can have, in tensors of UE8M0 bytes and of fp32 scales.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "harness/diagnosis/diagnose.h"
#include "harness/diagnosis/scales.h"
#include "harness/diagnosis/wrong_part.h"
#include "reference/formats/round.h"

namespace assay {
namespace {

// UE8M0 bytes: NaN, zeros, fp32 bits in packed words, overflowing mantissas.

constexpr int64_t kNan = 0xff;

bool plausible(int64_t byte) { return kLeastExponent <= byte && byte <= kMostExponent; }
bool swollen(int64_t byte) { return byte > kMostExponent; }

/// The bytes of one word; nothing if the storage lacks some of them.
std::optional<std::array<int64_t, 4>> word_at(const ScaleGrid& grid, int64_t row, int64_t w) {
  std::array<int64_t, 4> bytes{};
  for (int64_t j = 0; j < 4; ++j) {
    bytes[size_t(j)] = grid.code(row, 4 * w + j);
    if (bytes[size_t(j)] < 0) return std::nullopt;
  }
  return bytes;
}

uint32_t joined(const std::array<int64_t, 4>& b) { return uint32_t(b[0] | b[1] << 8 | b[2] << 16 | b[3] << 24); }

template <class Visit>
void for_each_word(const ScaleGrid& grid, Visit visit) {
  for (int64_t r = 0; r < grid.present_rows; ++r)
    for (int64_t w = 0; 4 * w < grid.present_columns; ++w)
      if (const auto bytes = word_at(grid, r, w)) visit(r, w, *bytes);
}

bool reads_as_fp32(const std::array<int64_t, 4>& b) {
  const bool scale_on_top = 33 <= b[3] && b[3] <= 83;
  const bool power_of_two = (joined(b) & 0x7fffff) == 0;
  if (b[2] == b[3]) return false;  // memory filled with one byte: find_constant_tail() reports it
  const auto is_exponent = [](int64_t byte) { return byte == 0 || plausible(byte); };
  return scale_on_top && (power_of_two || !(is_exponent(b[0]) && is_exponent(b[1]) && is_exponent(b[2])));
}

/// Index of the highest nonzero byte of a word; -1 if there is none.
int64_t top_of(const std::array<int64_t, 4>& b) {
  int64_t top = 3;
  while (top >= 0 && b[size_t(top)] == 0) --top;
  return top;
}

std::string address(const ScaleGrid& grid, int64_t row, int64_t column) {
  return fmt::format("{}[{}, {}]", grid.name, row, column);
}

bool find_fp32_words(const ScaleGrid& grid, ScaleReport& report) {
  PlacesFound places;
  int64_t words = 0;
  std::string first;
  for_each_word(grid, [&](int64_t r, int64_t w, const std::array<int64_t, 4>& b) {
    ++words;
    if (!reads_as_fp32(b)) return;
    if (places.count == 0)
      first = fmt::format("first    word [{}, {}] = 0x{:08X}: as fp32 {:.9g}; as UE8M0 the scales 2^{}, 2^{}, 2^{}, 2^{}", r, w,
                          joined(b), std::bit_cast<float>(joined(b)), b[0] - 127, b[1] - 127, b[2] - 127, b[3] - 127);
    for (int64_t j = 0; j < 4; ++j) places.add(r, 4 * w + j);
  });
  if (places.count == 0) return false;
  report.findings.push_back(
      {fmt::format("{} of {} words {} the bits of an fp32 scale where four UE8M0 bytes are read", places.count / 4, words,
                   places.count == 4 ? "holds" : "hold"),
       {"where    " + places.text(), first,
        "why      the producer wrote fp32 scales, and the consumer reads each word as four exponents. The top byte is then far below",
        "         any scale (2^-43 or less), and the other three bytes contain mantissa bits",
        "example  4 groups of scale 1.0 should be one word, 0x7F7F7F7F; the fp32 bits 0x3F800000 are read as 2^-127, 2^-127, 2^1, "
        "2^-64",
        "repair   convert: byte = fp32 exponent field, plus 1 if the mantissa is not zero; four groups to a word"}});
  return true;
}

/// `lower`: bytes above kMostExponent below a plausible top byte of their word. `top`: number of top bytes above kMostExponent.
struct Swollen {
  PlacesFound lower;
  int64_t top = 0;
  std::array<int64_t, 4> by_slot{};
  std::vector<std::string> lines;
};

Swollen swollen_bytes(const ScaleGrid& grid) {
  Swollen found;
  for_each_word(grid, [&](int64_t r, int64_t w, const std::array<int64_t, 4>& b) {
    const int64_t top = top_of(b);
    if (top < 0) return;
    if (swollen(b[size_t(top)])) ++found.top;
    if (top == 0 || !plausible(b[size_t(top)])) return;
    for (int64_t j = 0; j < top; ++j) {
      const int64_t byte = b[size_t(j)];
      if (!swollen(byte)) continue;
      found.lower.add(r, 4 * w + j);
      ++found.by_slot[size_t(j)];
      if (found.lines.size() == 3) continue;
      // Bits that are not in the exponent of the next group are mantissa bits, unless the two scales differ widely.
      const int64_t stray = byte & ~b[size_t(top)] & 0xff, leading = stray == 0 ? 0 : int64_t(std::bit_floor(uint64_t(stray)));
      found.lines.push_back(fmt::format(
          "{}    {}: byte 0x{:02X} = {} in word 0x{:08X}: mantissa bits of group {} ({} times a power of two) were ORed into it",
          found.lines.empty() ? "first" : "then ", address(grid, r, 4 * w + j), byte,
          byte == kNan ? "NaN" : fmt::format("2^{}", byte - 127), joined(b), 4 * w + j + 1,
          leading == 0 ? "not 1" : fmt::format("{:.9g} or more", 1.0 + double(leading) / 256.0)));
    }
  });
  return found;
}

bool find_lost_mantissas(const ScaleGrid& grid, ScaleReport& report) {
  Swollen found = swollen_bytes(grid);
  if (found.lower.count == 0 || found.top > 0) return false;
  // Packing without a mask spoils about every second lower byte if scales are not powers of two. So a single NaN in a large
  // tensor has another cause.
  constexpr int64_t kFewBytes = 16;
  const bool is_nan = grid.code(found.lower.first[0], found.lower.first[1]) == kNan;
  if (found.lower.count == 1 && is_nan && grid.present_rows * grid.present_columns > kFewBytes) return false;
  std::vector<std::string> lines = {
      "where    " + found.lower.text(),
      fmt::format("slots    wrong bytes by position: byte 0: {}, byte 1: {}, byte 2: {}, byte 3: {} (no byte lies above byte 3)", found.by_slot[0],
                  found.by_slot[1], found.by_slot[2], found.by_slot[3])};
  lines.insert(lines.end(), found.lines.begin(), found.lines.end());
  for (const char* line :
       {"why      the packer joins raw fp32 words, v0>>23 | v1>>15 | v2>>7 | v3<<1, without masking the mantissas. That is right "
        "only if",
        "         every scale is a power of two; otherwise the mantissa of group j+1 lands in the byte of group j and sets its "
        "bits",
        "example  smallest input that shows it: scales [1, 1, 1, 1.5] give 0x7FFF7F7F (byte 2 = 0xFF = NaN) and [1, 1.5, 1, 1] "
        "give",
        "         0x7F7F7FFF (byte 0); scales rounded up give 0x807F7F7F and 0x7F7F807F. A test with one group never shows it",
        "repair   round scales up to powers of two before packing (and quantize with the rounded ones), or mask v & 0x7F800000"})
    lines.emplace_back(line);
  if (found.lower.count == 1)
    lines.emplace_back("or else  the amax of that group was Inf or NaN, which also gives 0xFF: a single byte does not show which");
  report.findings.push_back({fmt::format("mantissas lost by packing: {} byte{} more than an exponent", found.lower.count,
                                         found.lower.count == 1 ? " holds" : "s hold"),
                             lines});
  return true;
}

void find_nan(const ScaleGrid& grid, bool explained, ScaleReport& report) {
  PlacesFound nan;
  for (int64_t r = 0; r < grid.present_rows; ++r)
    for (int64_t c = 0; c < grid.present_columns; ++c)
      if (grid.code(r, c) == kNan) nan.add(r, c);
  if (nan.count == 0) return;
  std::vector<std::string> lines = {"where    " + nan.text(),
                                    fmt::format("first    {}: byte 0xFF", address(grid, nan.first[0], nan.first[1])),
                                    "why      0xFF is the NaN of UE8M0 (OCP MX): every product with that group is NaN"};
  if (explained)
    lines.emplace_back("cause    see the next finding");
  else
    lines.emplace_back(
        "cause    not a packing mistake: look for Inf or NaN in the input of these groups, or for unwritten memory (0xFF)");
  report.findings.push_back({fmt::format("{} of {} bytes {} 0xFF = NaN", nan.count, grid.present_rows * grid.present_columns,
                                         nan.count == 1 ? "is" : "are"),
                             lines});
}

/// Number of columns at the end that are zero in every row, up to `most`.
int64_t zero_columns(const ScaleGrid& grid, int64_t most) {
  int64_t tail = 0;
  for (int64_t c = grid.present_columns; c-- > 0 && tail < most; ++tail)
    for (int64_t r = 0; r < grid.present_rows; ++r)
      if (grid.code(r, c) != 0) return tail;
  return tail;
}

/// Whether the matrix may have been given in storage order: [groups / 4, rows] words, with rows padded to a multiple of four.
bool may_be_storage(const ScaleGrid& grid) {
  const int64_t words = grid.present_columns / 4;
  return grid.present_columns % 16 == 0 && words > grid.present_rows;
}

/// Number of zero columns that are padding: up to three bytes of the last word, or in storage order up to three whole words.
int64_t zero_tail(const ScaleGrid& grid) {
  if (grid.kind != ScaleKind::kWords) return 0;
  const int64_t all = zero_columns(grid, 16);
  if (may_be_storage(grid) && 4 <= all && all < 16) return all / 4 * 4;
  return std::min<int64_t>(all, 3);
}

/// Number of words whose four bytes are all `byte`.
int64_t whole_words(const ScaleGrid& grid, int64_t byte) {
  int64_t words = 0;
  for_each_word(grid, [&](int64_t, int64_t, const std::array<int64_t, 4>& b) {
    words += std::all_of(b.begin(), b.end(), [&](int64_t one) { return one == byte; });
  });
  return words;
}

constexpr const char* kWithoutGaps =
    "or else  the words are stored without gaps, but read with a column stride (row-major, or m not padded to 4): the zeros lie "
    "after the words";

void find_zeros(const ScaleGrid& grid, ScaleReport& report) {
  const int64_t tail = grid.extent_known ? 0 : zero_tail(grid);
  PlacesFound zero;
  for (int64_t r = 0; r < grid.present_rows; ++r)
    for (int64_t c = 0; c < grid.present_columns - tail; ++c)
      if (grid.code(r, c) == 0) zero.add(r, c);
  if (tail >= 4)
    report.notes.push_back(fmt::format(
        "the last {} words of each row are zero: they are gaps if the storage order is [groups / 4, rows] with {} rows of scales; "
        "state --param m=ROWS --param groups=GROUPS to be sure",
        tail / 4, grid.present_columns / 4 - tail / 4));
  else if (tail > 0)
    report.notes.push_back(
        fmt::format("the top {} byte{} of the last word {} zero in every row: right if they are the padding of {} groups", tail,
                    tail == 1 ? "" : "s", tail == 1 ? "is" : "are", grid.present_columns - tail));
  if (zero.count == 0) return;
  report.findings.push_back(
      {fmt::format("{} of {} bytes {} 0x00 = 2^-127", zero.count, grid.present_rows * (grid.present_columns - tail),
                   zero.count == 1 ? "is" : "are"),
       {"where    " + zero.text(), fmt::format("first    {}: byte 0x00", address(grid, zero.first[0], zero.first[1])),
        "why      UE8M0 has no zero; 0x00 is the scale 2^-127. Either the group was never written, or its amax was 0 and the",
        "         scale has no lower bound, or padding (0x00) lies where a scale should be"}});
  if (grid.kind == ScaleKind::kWords && whole_words(grid, 0) > 0) report.findings.back().lines.emplace_back(kWithoutGaps);
}

/// Exponent fields that are all even and mostly far above a scale's range: a conversion has doubled each byte.
/// `fields`: exponent fields of all scales in row-major order; -1: no storage there.
bool find_doubled(const ScaleGrid& grid, const std::vector<int64_t>& fields, ScaleReport& report) {
  int64_t beyond = 0, halved = 0, first = -1;
  for (size_t i = 0; i < fields.size(); ++i) {
    if (fields[i] < 0 || fields[i] % 2 != 0) return false;
    beyond += swollen(fields[i]);
    halved += plausible(fields[i] / 2);
    if (first < 0 && swollen(fields[i])) first = int64_t(i);
  }
  const auto all = int64_t(fields.size());
  if (all == 0 || 2 * beyond <= all || halved != all) return false;
  const int64_t field = fields[size_t(first)];
  report.findings.push_back({fmt::format("all {} exponents are even, and {} of them are beyond 2^{}: the bytes were doubled", all,
                                         beyond, kMostExponent - 127),
                             {fmt::format("first    {} = 2^{}; half of that byte is {} = 2^{}",
                                          address(grid, first / grid.present_columns, first % grid.present_columns), field - 127,
                                          field / 2, field / 2 - 127),
                              "why      when e4m3fn weights are converted to e4m3fnuz, their scales are multiplied by two. A loader "
                              "that multiplies",
                              "         the raw UE8M0 bytes by two doubles the exponent field instead of adding 1 to it",
                              "repair   add 1 to each byte (or do not convert: UE8M0 needs no factor of two)"}});
  return true;
}

/// Reports scales that all hold the same implausible byte.
bool find_constant_byte(const ScaleGrid& grid, ScaleReport& report) {
  const int64_t byte = grid.code(0, 0);
  if (byte <= 0 || byte == kNan || plausible(byte)) return false;
  for (int64_t r = 0; r < grid.present_rows; ++r)
    for (int64_t c = 0; c < grid.present_columns; ++c)
      if (grid.code(r, c) != byte) return false;
  report.findings.push_back(
      {fmt::format("every byte is 0x{:02X}: all scales are 2^{}", byte, byte - 127),
       {"why      no data have that scale in every group: it is a default value, or the number 1 was stored for the scale 1.0",
        "repair   store the byte 0x7F for the scale 1.0"}});
  return true;
}

}  // namespace

void look_at_bytes(const ScaleGrid& grid, ScaleReport& report) {
  if (grid.present_rows == 0 || grid.present_columns == 0) return;
  if (grid.kind == ScaleKind::kWords && find_fp32_words(grid, report)) return;  // later checks would describe mantissa bits
  std::vector<int64_t> bytes;
  for (int64_t r = 0; r < grid.present_rows; ++r)
    for (int64_t c = 0; c < grid.present_columns; ++c) bytes.push_back(grid.code(r, c));
  if (find_constant_byte(grid, report) || find_doubled(grid, bytes, report)) return;  // one cause for all bytes
  ScaleReport packing;
  const bool packed_wrongly = grid.kind == ScaleKind::kWords && find_lost_mantissas(grid, packing);
  find_nan(grid, packed_wrongly, report);
  for (ScaleFinding& finding : packing.findings) report.findings.push_back(std::move(finding));
  find_zeros(grid, report);
}

namespace {

// fp32 scales: values that no scale may have, and values that cannot be converted to UE8M0.

float value(int64_t code) { return std::bit_cast<float>(uint32_t(code)); }

bool is_scale(int64_t code) { return std::isnormal(value(code)) && value(code) > 0; }
bool is_power_of_two(int64_t code) { return is_scale(code) && (code & 0x7fffff) == 0; }
bool is_words_of_bytes(int64_t code) {
  for (int shift = 0; shift < 32; shift += 8) {
    const int64_t byte = code >> shift & 0xff;
    if (byte < kLeastExponent || byte > kMostExponent) return false;
  }
  return true;
}

PlacesFound places_where(const ScaleGrid& grid, const std::function<bool(int64_t)>& holds) {
  PlacesFound places;
  for (int64_t r = 0; r < grid.present_rows; ++r)
    for (int64_t c = 0; c < grid.present_columns; ++c)
      if (grid.code(r, c) >= 0 && holds(grid.code(r, c))) places.add(r, c);
  return places;
}

std::string first_text(const ScaleGrid& grid, const PlacesFound& places) {
  const int64_t code = grid.code(places.first[0], places.first[1]);
  return fmt::format("first    {}[{}, {}] = {:.9g} (0x{:08X})", grid.name, places.first[0], places.first[1], value(code), code);
}

struct Kind {
  const char* what;
  bool (*holds)(int64_t code);
  const char* why;
};

constexpr Kind kKinds[] = {
    {"NaN", [](int64_t c) { return std::isnan(value(c)); },
     "NaN in the input of the group, 0 / 0 for a group of zeros, or unwritten memory"},
    {"Inf", [](int64_t c) { return std::isinf(value(c)); }, "Inf in the input of the group, or a division by a scale of zero"},
    {"negative", [](int64_t c) { return value(c) < 0; },
     "a scale is never negative: the tensor holds other data, or packed words are read as fp32"},
    {"zero", [](int64_t c) { return value(c) == 0; },
     "a group of zeros whose scale has no lower bound (x / 0 is NaN), or an unwritten group"},
    {"subnormal", [](int64_t c) { return value(c) != 0 && std::fabs(value(c)) < 0x1p-126f; },
     "1 / scale overflows to Inf, and a GPU that flushes subnormals reads the scale as zero"}};

void add_kinds(const ScaleGrid& grid, std::span<const Kind> kinds, ScaleReport& report) {
  for (const Kind& kind : kinds) {
    const PlacesFound places = places_where(grid, kind.holds);
    if (places.count == 0) continue;
    report.findings.push_back({fmt::format("{} of {} scales {} {}", places.count, grid.present_rows * grid.present_columns,
                                           places.count == 1 ? "is" : "are", kind.what),
                               {"where    " + places.text(), first_text(grid, places), std::string("why      ") + kind.why}});
  }
}

void find_words(const ScaleGrid& grid, ScaleReport& report) {
  const PlacesFound words = places_where(grid, is_words_of_bytes);
  if (words.count == 0) return;
  const int64_t code = grid.code(words.first[0], words.first[1]);
  report.findings.push_back(
      {fmt::format("{} of {} elements {} packed UE8M0 words read as fp32", words.count, grid.present_rows * grid.present_columns,
                   words.count == 1 ? "looks like" : "look like"),
       {"where    " + words.text(), first_text(grid, words),
        fmt::format("bytes    as four UE8M0 bytes 0x{:02X} 0x{:02X} 0x{:02X} 0x{:02X}: the scales 2^{}, 2^{}, 2^{}, 2^{}",
                    code & 0xff, code >> 8 & 0xff, code >> 16 & 0xff, code >> 24, (code & 0xff) - 127, (code >> 8 & 0xff) - 127,
                    (code >> 16 & 0xff) - 127, (code >> 24) - 127),
        "why      all four bytes are plausible exponents, and as fp32 the value is 2^43 or more, which no scale is"}});
}

void find_mantissas(const ScaleGrid& grid, ScaleReport& report) {
  const PlacesFound powers = places_where(grid, is_power_of_two);
  const PlacesFound others = places_where(grid, [](int64_t code) { return is_scale(code) && !is_power_of_two(code); });
  if (others.count == 0) return;
  const bool meant = powers.count > others.count;
  if (!meant && !grid.powers_of_two) {
    report.notes.push_back(
        fmt::format("{} of {} scales are powers of two: right for plain fp32 scales, but UE8M0 can store only powers of two (check for UE8M0 "
                    "with --as ue8m0_scale)",
                    powers.count, powers.count + others.count));
    return;
  }
  const int64_t code = grid.code(others.first[0], others.first[1]);
  const double power = std::ldexp(1.0, std::ilogb(value(code)));
  report.findings.push_back(
      {fmt::format(
           "{} of {} fp32 scales {}, {}", others.count, powers.count + others.count,
           others.count == 1 ? "is not a power of two" : "are not powers of two",
           grid.powers_of_two ? "but the consumer reads UE8M0" : "but most are: the tensor is meant for a consumer of UE8M0"),
       {"where    " + others.text(), first_text(grid, others),
        fmt::format("effect   without its mantissa the scale is {:.9g}: products are too small by a factor of {:.6g}", power,
                    double(value(code)) / power),
        "why      UE8M0 keeps the exponent and drops the mantissa; a packer without a mask ORs the mantissa into the "
        "neighbouring byte (NaN)",
        "example  smallest input that shows it: one group with scale 1.5, which becomes 1; scales [1, 1, 1, 1.5] packed give a "
        "NaN byte",
        "repair   round scales up to a power of two before the data are quantized with them, not afterwards"}});
}

}  // namespace

/// Whole numbers in the range of UE8M0 bytes: bytes were cast to fp32 as numbers, instead of decoded as 2^(byte - 127).
static bool find_bytes_as_numbers(const ScaleGrid& grid, ScaleReport& report) {
  const auto is_byte = [](int64_t code) {
    const float number = value(code);
    return number >= float(kLeastExponent) && number <= float(kMostExponent) && number == std::floor(number);
  };
  const PlacesFound bytes = places_where(grid, is_byte);
  if (bytes.count == 0 || bytes.count != grid.present_rows * grid.present_columns) return false;
  const auto byte = int64_t(value(grid.code(bytes.first[0], bytes.first[1])));
  report.findings.push_back(
      {fmt::format("all {} scales are whole numbers from {} to {}: UE8M0 bytes converted as numbers", bytes.count, kLeastExponent,
                   kMostExponent),
       {first_text(grid, bytes), fmt::format("meant    byte {} is the scale 2^{}", byte, byte - 127),
        "why      the loader cast the bytes to fp32 (127 became 127.0) instead of reading them as exponents (127 is 1.0)",
        "repair   scale = 2^(byte - 127): shift the byte to the exponent field, bits = byte << 23"}});
  return true;
}

/// fp32 scales in the other byte order: most are implausible as read, and all are plausible once their bytes are reversed.
static bool find_reversed_bytes(const ScaleGrid& grid, ScaleReport& report) {
  const auto plausible_scale = [](int64_t code) {
    return is_scale(code) && value(code) >= 0x1p-60f && value(code) < 0x1p42f;
  };
  const auto reversed = [](int64_t code) { return int64_t(__builtin_bswap32(uint32_t(code))); };
  const PlacesFound wrong = places_where(grid, [&](int64_t code) { return !plausible_scale(code); });
  const PlacesFound right = places_where(grid, [&](int64_t code) { return plausible_scale(reversed(code)); });
  const int64_t all = grid.present_rows * grid.present_columns;
  if (right.count != all || all < 4 || 4 * wrong.count < 3 * all) return false;
  const int64_t code = grid.code(0, 0);
  report.findings.push_back(
      {fmt::format("foreign byte order: all {} fp32 scales are plausible with their bytes reversed; as stored, {} are not",
                   all, wrong.count),
       {fmt::format("first    {}[0, 0] = {:.9g} (0x{:08X}); reversed {:.9g} (0x{:08X})", grid.name, value(code), code,
                    value(reversed(code)), reversed(code)),
        "why      the file or the sender has the other byte order, or words were swapped for a consumer of packed bytes",
        "repair   reverse the four bytes of each number"}});
  return true;
}

/// E4M3 scales of NVFP4. The scale of a group of zeros is zero there, and 448 may be a saturated scale.
static void look_at_e4m3(const ScaleGrid& grid, ScaleReport& report) {
  constexpr float kLargest = 448;
  constexpr Kind kFaults[] = {
      {"NaN", [](int64_t c) { return std::isnan(value(c)); },
       "NaN in the input of the group, a scale above 448 that was cast without saturation, or unwritten memory"},
      {"negative", [](int64_t c) { return std::signbit(value(c)); },
       "a scale is never negative, and tensor cores ignore the sign bit: the tensor holds other data"}};
  add_kinds(grid, kFaults, report);
  const int64_t all = grid.present_rows * grid.present_columns;
  const int64_t zeros = places_where(grid, [](int64_t c) { return value(c) == 0; }).count,
                largest = places_where(grid, [](int64_t c) { return value(c) == kLargest; }).count;
  if (zeros > 0)
    report.notes.push_back(fmt::format("{} of {} scales are zero: their groups are zeros, or too small relative to the global scale", zeros, all));
  if (largest > 0)
    report.notes.push_back(
        fmt::format("{} of {} scales are 448, the largest number: they saturated if the global scale does not fit", largest, all));
}

void look_at_floats(const ScaleGrid& grid, ScaleReport& report) {
  if (grid.present_rows == 0 || grid.present_columns == 0) return;
  if (grid.of_e4m3) return look_at_e4m3(grid, report);
  if (find_reversed_bytes(grid, report)) return;
  if (find_bytes_as_numbers(grid, report)) return;
  std::vector<int64_t> exponents;
  for (int64_t r = 0; r < grid.present_rows; ++r)
    for (int64_t c = 0; c < grid.present_columns; ++c)
      exponents.push_back(grid.code(r, c) >= 0 && is_power_of_two(grid.code(r, c)) ? grid.code(r, c) >> 23 : -1);
  if (find_doubled(grid, exponents, report)) return;
  add_kinds(grid, kKinds, report);
  find_words(grid, report);
  find_mantissas(grid, report);
}

// Numbers that an output holds together with its scales. If a scale is wrong, all codes of its group are; their products still
// tell which numbers the kernel has quantized.

Rule numbers_of_other_columns(const WrongPart& wrong, const std::vector<WrongPart>& all) {
  constexpr int64_t kFewestSources = 32;
  constexpr size_t kFewestCodes = 8;
  const Part& part = wrong.part();
  const Format& format = wrong.format();
  const auto of_scales = std::find_if(all.begin(), all.end(), [&](const WrongPart& one) {
    return one.part().tensor.starts_with("scale") && one.part().rank == part.rank && one.part().rows() == part.rows() &&
           one.part().columns() < part.columns() && part.columns() % one.part().columns() == 0 && one.complete() &&
           !one.failing().empty();
  });
  if (of_scales == all.end() || (!format.is_integer() && (!is_number(format) || format.mantissa_bits < 2)) || format.bits > 8)
    return std::nullopt;
  const int64_t columns = part.columns(), groups = of_scales->part().columns(), width = columns / groups;
  const double largest = format.is_integer() ? std::ldexp(1.0, format.bits - 1) - 1 : max_finite(format);
  const double step = format.is_integer() ? 1 : power_of_two(format.min_exponent() - format.mantissa_bits);
  const double relative = format.is_integer() ? 0 : power_of_two(-format.mantissa_bits - 1);
  struct Number {
    double value = 0, rounding = 0;
  };
  const auto number = [&](double code, double scale) -> std::optional<Number> {
    if (!std::isfinite(code) || !std::isfinite(scale) || scale <= 0 || std::abs(code) >= largest) return std::nullopt;
    return Number{code * scale, std::max(std::abs(code) * relative, step / 2) * scale};
  };
  const auto scale_of = [&](int64_t i) { return i / columns * groups + i % columns / width; };
  std::vector<std::optional<Number>> held, due;
  std::set<double> sizes;
  for (int64_t i = 0; i < part.elements(); ++i) {
    held.push_back(number(wrong.value(i), of_scales->value(scale_of(i))));
    const std::optional<double> code = wrong.middle(i), scale = of_scales->middle(scale_of(i));
    due.push_back(code && scale ? number(*code, *scale) : std::nullopt);
    if (held.back() && sizes.size() < kFewestCodes) sizes.insert(std::abs(wrong.value(i)));
  }
  if (sizes.size() < kFewestCodes) return std::nullopt;
  const auto fits = [&](int64_t i, int64_t from) {
    return std::abs(held[size_t(i)]->value - due[size_t(from)]->value) <=
           1.01 * (held[size_t(i)]->rounding + due[size_t(from)]->rounding);
  };
  // Numbers too small for the stored scale fit everywhere.
  const auto tells = [&](int64_t i, int64_t from) {
    return held[size_t(i)] && due[size_t(from)] &&
           std::max(std::abs(held[size_t(i)]->value), std::abs(due[size_t(from)]->value)) >
               8 * (held[size_t(i)]->rounding + due[size_t(from)]->rounding) / (format.is_integer() ? 1 : 3);
  };
  Rule best;
  int64_t most = 0;
  for (int64_t period = 4; period <= 256 && period <= columns; period *= 2)
    for (int64_t away = 1; 2 * away <= period; away *= 2)
      for (const int64_t by : {away, -away}) {
        const auto source = [&](int64_t i) {
          const int64_t at = i % columns % period + by;
          return at < 0 || at >= period || i % columns + by >= columns ? kNowhere : i + by;
        };
        int64_t sources = 0, fitting = 0, in_place = 0;
        for (int64_t i = 0; i < part.elements(); ++i) {
          const int64_t from = source(i);
          if (from == kNowhere || !tells(i, from)) continue;
          ++sources, fitting += fits(i, from), in_place += due[size_t(i)] && fits(i, i);
        }
        if (sources < kFewestSources || 20 * fitting < 19 * sources || 2 * in_place > sources || fitting <= most) continue;
        most = fitting;
        Explanation found{
            fmt::format("the numbers of other columns, if multiplied by the stored {}: {}[i, j] holds the number of "
                        "{}[i, j {} {}], within each {} columns: a wrong index before the scale is computed",
                        of_scales->part().tensor, part.tensor, part.tensor, by > 0 ? '+' : '-', away, period)};
        for (const int64_t i : wrong.failing()) {
          const int64_t from = source(i);
          const bool known = from != kNowhere && tells(i, from);
          (known ? found.explained : found.left_out) += !known || fits(i, from);
        }
        found.note = "; the other elements hold other data, which also enter the scale";
        best = std::move(found);
      }
  return best;
}

}  // namespace assay
