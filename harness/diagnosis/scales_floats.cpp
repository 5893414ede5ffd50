// fp32 scales: values that no scale may have, and values that cannot be converted to UE8M0.
#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <functional>

#include "harness/diagnosis/places.h"
#include "harness/diagnosis/scales.h"

namespace assay {
namespace {

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
     "a scale is not negative: the tensor holds other data, or packed words are read as fp32"},
    {"zero", [](int64_t c) { return value(c) == 0; },
     "a group of zeros without a floor under its scale (x / 0 is NaN), or an unwritten group"},
    {"subnormal", [](int64_t c) { return value(c) != 0 && std::fabs(value(c)) < 0x1p-126f; },
     "1 / scale overflows to Inf, and a GPU that flushes subnormals takes it for zero"}};

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
        fmt::format("{} of {} scales are powers of two: as plain fp32 scales that is right; a consumer of UE8M0 cannot take them "
                    "(--as ue8m0_scale judges for one)",
                    powers.count, powers.count + others.count));
    return;
  }
  const int64_t code = grid.code(others.first[0], others.first[1]);
  const double power = std::ldexp(1.0, std::ilogb(value(code)));
  report.findings.push_back(
      {fmt::format(
           "{} of {} fp32 scales {}, {}", others.count, powers.count + others.count,
           others.count == 1 ? "is not a power of two" : "are not powers of two",
           grid.powers_of_two ? "and the consumer takes UE8M0" : "though most are: the tensor is meant for a consumer of UE8M0"),
       {"where    " + others.text(), first_text(grid, others),
        fmt::format("effect   its exponent alone is {:.9g}: the product is too small by a factor of {:.6g}", power,
                    double(value(code)) / power),
        "why      UE8M0 keeps the exponent and drops the mantissa; a packer without a mask ORs it into the neighbouring byte "
        "(NaN)",
        "example  smallest input that shows it: one group with scale 1.5, which becomes 1; scales [1, 1, 1, 1.5] packed give a "
        "NaN byte",
        "repair   round scales up to a power of two before the data are quantized with them, not afterwards"}});
}

}  // namespace

void look_at_floats(const ScaleGrid& grid, ScaleReport& report) {
  for (const Kind& kind : kKinds) {
    const PlacesFound places = places_where(grid, kind.holds);
    if (places.count == 0) continue;
    report.findings.push_back({fmt::format("{} of {} scales {} {}", places.count, grid.present_rows * grid.present_columns,
                                           places.count == 1 ? "is" : "are", kind.what),
                               {"where    " + places.text(), first_text(grid, places), std::string("why      ") + kind.why}});
  }
  find_words(grid, report);
  find_mantissas(grid, report);
}

}  // namespace assay
