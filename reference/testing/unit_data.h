// Rows of units.csv, recorded results and operands, for tests of tensor core models.
#pragma once

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <random>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include "reference/exact/expression.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"
#include "reference/table/table.h"
#include "reference/units/unit_definition.h"
#include "reference/units/unit_predict.h"
#include "reference/units/unit_table.h"

namespace assay {

// Helpers for these tests: the table, random codes, and the rows of units/probes.csv.

inline const UnitTable& unit_table() {
  static const UnitTable table = UnitTable::load_folder("reference/contracts");
  return table;
}

/// The code for "-2^-9", "nan", "-inf", or a word as stored in memory, such as "0x3f801fff".
inline uint32_t code_of_text(const Format& f, const std::string& text) {
  if (text.starts_with("0x")) return uint32_t(std::stoul(text, nullptr, 16) >> (f == kTf32 ? 13 : 0));
  if (text == "nan") return code_of(f, std::nan(""));
  if (text.ends_with("inf")) return code_of(f, text[0] == '-' ? -HUGE_VAL : HUGE_VAL);
  if (text == "-0") return code_of(f, -0.0);
  return code_of(f, Expression(text).rounded({}, f));
}

/// A row of probes.csv: inputs that tell parameter values apart (operands not listed are zero), and the resulting code.
struct UnitProbe {
  std::string name, unit, why;
  std::vector<uint32_t> a, b;
  uint32_t c = 0, d = 0;
};

inline std::vector<UnitProbe> unit_probes() {
  const Table table = read_table("reference/units/probes.csv");
  std::vector<UnitProbe> all;
  for (const TableRow& row : table.rows) {
    const Unit& unit = unit_table().find(table.text(row, "unit")).unit;
    const size_t k = table.text(row, "k").empty() ? size_t(unit.k) : size_t(table.integer(row, "k"));
    UnitProbe probe{table.text(row, "probe"), unit.id, table.text(row, "why"), std::vector<uint32_t>(k),
                    std::vector<uint32_t>(k)};
    std::istringstream words(table.text(row, "products"));
    for (std::string word; words >> word;) {
      const size_t colon = word.find(':'), comma = word.find(',');
      const std::string place = word.substr(0, colon);
      for (size_t i = place == "all" ? 0 : std::stoul(place), end = place == "all" ? k : i + 1; i < end; ++i) {
        probe.a.at(i) = code_of_text(*unit.a, word.substr(colon + 1, comma - colon - 1));
        probe.b.at(i) = code_of_text(*unit.b, word.substr(comma + 1));
      }
    }
    probe.c = code_of_text(*unit.d, table.text(row, "c"));
    probe.d = uint32_t(std::stoul(table.text(row, "d"), nullptr, 16));
    all.push_back(std::move(probe));
  }
  return all;
}

}  // namespace assay

namespace assay::recorded {

// Reads the recordings in the folder `gemm` of ASSAY_HARDWARE_VECTORS. The README in that folder describes the files.

/// The elements in a .npy file: all bytes after its header.
inline std::string npy(const std::filesystem::path& file) {
  const std::string bytes = read_text(file.string());
  const size_t header = 10 + size_t(uint8_t(bytes.at(8))) + (size_t(uint8_t(bytes.at(9))) << 8);
  return bytes.substr(header);
}

/// The last mixing function of the random number generator splitmix64.
inline uint64_t mix(uint64_t x) {
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
  x = (x ^ x >> 27) * 0x94d049bb133111eb;
  return x ^ x >> 31;
}

}  // namespace assay::recorded

namespace assay {

// Operands for these tests: kinds of codes that tell models apart, and random rows of units.csv.

/// Kinds of random codes: any bit pattern, including NaN and Inf; near 1; mostly zeros; tiny; near the largest value; and the
/// integers 0, 1 and 2.
enum class UnitData { kBits, kNearOne, kSparse, kTiny, kHuge, kIntegers };
inline constexpr int kUnitDataKinds = 6;

class RandomCodes {
 public:
  explicit RandomCodes(uint64_t seed) : random_(seed) {}
  uint64_t below(uint64_t n) { return random_() % n; }

  uint32_t code(const Format& f, UnitData kind) {
    const auto bits = uint32_t(random_() & (f.code_count() - 1));
    if (kind == UnitData::kBits || f.exponent_bits == 0) return bits;
    if (kind == UnitData::kSparse && below(2) == 0)
      return below(2) == 0 || !f.has_sign() ? 0 : code_of(f, f.specials == Specials::kFnuz ? 0.0 : -0.0);
    double x = 1 + double(below(1 << 11)) * 0x1p-11;
    if (kind == UnitData::kNearOne) x = std::ldexp(x, int(below(8)) - 4);
    if (kind == UnitData::kSparse) x = std::ldexp(x, int(below(40)) - 20);
    if (kind == UnitData::kTiny) x = std::ldexp(x, f.min_exponent() / (below(2) == 0 ? 1 : 2) + int(below(6)) - 4);
    if (kind == UnitData::kHuge) x = std::ldexp(x, std::ilogb(max_finite(f)) / (below(2) == 0 ? 1 : 2) - int(below(3)));
    if (kind == UnitData::kIntegers) x = double(below(3));
    if (below(2) == 0 && f.has_sign()) x = -x;
    return code_of(f, round_to(f, x, Rounding::kNearestEven, Overflow::kSaturate));
  }

 private:
  std::mt19937_64 random_;
};

/// A GEMM, small enough for unit_definition.h, in memory as unit_predict.h reads it.
struct UnitCase {
  int rows, columns, k;
  std::vector<uint32_t> a, b, c, a_scales, b_scales;  ///< codes, row-major
  std::vector<std::byte> a_bytes, b_bytes, a_scale_bytes, b_scale_bytes;
  int scale_pitch = 0;

  UnitCase(const Unit& unit, int rows, int columns, int k, UnitData kind, RandomCodes& random)
      : rows(rows), columns(columns), k(k) {
    const auto fill = [&](std::vector<uint32_t>& codes, std::vector<std::byte>& bytes, const Format& f, int n) {
      for (int i = 0; i < n; ++i) {
        codes.push_back(random.code(f, kind));
        uint32_t word = codes.back();
        // the bits that a tensor core ignores in tf32 words are random
        if (f == kTf32) word = word << 13 | uint32_t(random.below(1 << 13));
        for (int byte = 0; byte < f.bytes(); ++byte) bytes.push_back(std::byte(word >> (8 * byte) & 0xff));
      }
    };
    fill(a, a_bytes, *unit.a, rows * k);
    fill(b, b_bytes, *unit.b, columns * k);
    std::vector<std::byte> unused;
    fill(c, unused, *unit.d, rows * columns);
    if (!unit.scale) return;
    scale_pitch = (k + unit.scale_block - 1) / unit.scale_block;
    fill(a_scales, a_scale_bytes, *unit.scale, rows * scale_pitch);
    fill(b_scales, b_scale_bytes, *unit.scale, columns * scale_pitch);
  }

  UnitProduct product() const {
    return {{a_bytes.data(), k, false, a_scale_bytes.data(), scale_pitch},
            {b_bytes.data(), k, false, b_scale_bytes.data(), scale_pitch},
            k};
  }
  uint32_t defined(const Unit& unit, int row, int column) const {
    const auto row_of = [](const std::vector<uint32_t>& codes, int i, int n) {
      return std::span(codes).subspan(size_t(i * n), size_t(n));
    };
    UnitElement element{row_of(a, row, k), row_of(b, column, k)};
    if (unit.scale)
      element.a_scales = row_of(a_scales, row, scale_pitch), element.b_scales = row_of(b_scales, column, scale_pitch);
    return defined_element(unit, element, c[size_t(row * columns + column)]);
  }
};

/// A row of units.csv with random cells that the loader accepts.
inline UnitRow random_unit_row(RandomCodes& random) {
  const auto one_of = [&](std::initializer_list<const char*> words) {
    return std::string(words.begin()[random.below(words.size())]);
  };
  const auto number = [&](int least, int most) { return std::to_string(least + int(random.below(uint64_t(most - least + 1)))); };
  for (;;) {
    UnitRow row{"random", "random.csv", 1, {}, {}};
    const uint64_t family = random.below(8);
    const bool group = family == 0, pairs = family == 1, split = family == 2, exact = family == 3 && random.below(4) == 0;
    const bool few_bits = family == 4;  // only for these rows does an instruction set have separate loops
    const auto format = [&] {
      return group      ? one_of({"e2m1", "e2m3"})
             : exact    ? "int8"
             : few_bits ? one_of({"e4m3fn", "e5m2", "e4m3fnuz", "e5m2fnuz", "e2m1"})
                        : one_of({"f16", "bf16", "tf32", "e4m3fn", "e5m2", "e4m3fnuz", "e5m2fnuz", "e2m1", "e3m2"});
    };
    const std::string d = exact ? "int32" : pairs || group || few_bits || random.below(3) > 0 ? "f32" : "f16";
    const int k = 1 << (2 + random.below(5));
    const auto set = [&](const char* column, const std::string& text) { row.cells[column] = {text, 1, 1}; };
    set("a", format()), set("b", format()), set("d", d), set("k", std::to_string(k)), set("evidence", "model");
    set("order", std::string(!group && random.below(4) == 0 ? "interleave(4,2) " : "") + "take(" +
                     std::to_string(k >> random.below(3)) + ")");
    const std::string align = "align(" +
                              number(1, group      ? 38
                                        : few_bits ? 13
                                                   : 28) +
                              ") " + (few_bits ? "truncate" : one_of({"truncate", "floor"}));
    set("sum", pairs   ? "pairs"
               : exact ? "exact"
               : group ? "group(" + one_of({"2", "4", "16"}) + ") " + align
               : split ? "split(2) " + align + " join(" + number(1, 40) + ") " + one_of({"truncate", "floor"})
                       : align);
    set("exponent", pairs || exact ? ""
                    : few_bits     ? one_of({"ea+eb", "ea+eb", "ea+eb in(f16)", "ea+eb in(f32)"})
                               : (group ? "scales" : one_of({"ea+eb", "ea+eb", "normalized", "ea+eb in(f16)", "ea+eb in(f32)"})) +
                                     one_of({"", " zeros"}) + (random.below(2) == 0 ? " least(" + number(-160, 20) + ")" : ""));
    const std::string join = few_bits ? "aligned"
                             : split || random.below(4) == 0
                                 ? "joined(" + number(1, 40) + "," + number(1, 40) + ") " + one_of({"truncate", "floor"}) +
                                       (random.below(2) == 0 ? " drop(" + number(1, 30) + ")" : "")
                                 : "aligned";
    set("c", pairs || exact ? "added" : (group ? "aligned" : join) + (few_bits ? "" : one_of({"", "", " last"})));
    const int bits = d == "f16" ? 10 : 23;
    set("round", exact   ? "wrap"
                 : pairs ? "rne(23)"
                         : (few_bits ? "rz" : one_of({"rz", "rne"})) + "(" +
                               (random.below(2) == 0 ? std::to_string(bits) : number(1, bits)) + ")");
    set("scale", group                                                   ? one_of({"e8m0/16", "ue4m3/16", "ue4m3/32"})
                 : !pairs && !exact && !few_bits && random.below(4) == 0 ? one_of({"e8m0/4", "e8m0/32"})
                                                                         : "");
    set("special", exact
                       ? ""
                       : std::string(d == "f16" ? "nan(7fff)" : "nan(7fffffff)") + (few_bits ? "" : one_of({"", "", " flush"})) +
                             (!pairs && !group && !few_bits && random.below(4) == 0 ? " inf(" + number(1, 200) + ")" : ""));
    for (const char* column : {"id", "source", "why"}) set(column, "random");
    try {
      row.unit = read_unit(row);
      return row;
    } catch (const TableError&) {
    }
  }
}

}  // namespace assay
