// Generators for power-of-two scales: amax values at which a rounding rule changes the exponent, and every possible exponent.
#include <cmath>

#include "harness/fill/sheet.h"
#include "harness/fill/nearest.h"

namespace assay::fills {
namespace {

/// Significands of amax at which the rules FLOOR, RCEIL, CEIL, EVEN and "0.75" differ, each with its neighbours in the format: 1,
/// 1.75 (448 = 1.75 * 2^8), 1.875 (240), 1.9375.
std::vector<double> thresholds(const Format& format) {
  std::vector<double> all;
  for (const double at : {1.0, 1.75, 1.875, 1.9375}) {
    const int32_t place = ordinal(format, nearest_code(format, at));
    for (const int codes : {0, 1, -1}) all.push_back(decode(format, code_from_ordinal(format, place + codes)));
  }
  return all;
}

/// The nonnegative finite codes of q, as values.
std::vector<double> magnitudes(const Format& q) {
  std::vector<double> all;
  for (int32_t o = 0; o <= ordinal_of_value(q, max_finite(q)); ++o) all.push_back(decode(q, code_from_ordinal(q, o)));
  return all;
}

}  // namespace

void exponent_rules(Sheet& sheet) {
  const std::vector<double> significands = thresholds(sheet.format);
  const int high = std::min(12, max_exponent(sheet.format) - 1), low = std::max(-12, sheet.format.min_exponent() + 1);
  for_each_group(sheet, [&](const Group& group) {
    const int64_t turn = group.number / int64_t(significands.size());
    const bool top = turn % 4 == 3;  // the last binade, where a carry gives Inf
    const double scale = power_of_two(top ? max_exponent(sheet.format) : low + int(turn * 7 % (high - low + 1)));
    fill_group_with_amax(sheet, group, significands[size_t(group.number) % significands.size()] * scale);
  });
}

void infinities(Sheet& sheet) {
  for_each_group(sheet, [&](const Group& group) {
    for (int64_t i = group.begin; i < group.end; ++i) sheet.values[size_t(i)] = sheet.random.normal(i);
    if (group.number % 2 == 0 || sheet.format.specials != Specials::kIeee) return;
    const int64_t place = group.begin + sheet.random.below(group.size(), group.number, kPlace);
    sheet.values[size_t(place)] = group.number % 4 == 1 ? HUGE_VAL : -HUGE_VAL;
  });
}

void every_scale(Sheet& sheet) {
  const std::vector<double> codes = magnitudes(sheet.q);
  std::vector<double> significands = thresholds(sheet.format);
  std::erase_if(significands, [](double m) { return m > 1.75; });  // codes must fit under the scale of significand 1.75 too
  const int low = sheet.format.min_exponent() - sheet.format.mantissa_bits, count = max_exponent(sheet.format) + 1 - low;
  for_each_group(sheet, [&](const Group& group) {
    const auto round = size_t(group.number / count);
    const int exponent = low + int(group.number % count);
    const double sign = round % 2 == 0 ? 1.0 : -1.0;
    sheet.values[size_t(group.begin)] = sign * std::ldexp(significands[round % significands.size()], exponent);
    for (int64_t i = group.begin + 1; i < group.end; ++i) {
      const size_t walked = round * size_t(group.size() - 1) + size_t(i - group.begin - 1);
      const double code = (walked / codes.size() % 2 == 0 ? 1.0 : -1.0) * codes[walked % codes.size()];
      sheet.values[size_t(i)] = std::ldexp(code, exponent - max_exponent(sheet.q));
    }
  });
}

}  // namespace assay::fills
