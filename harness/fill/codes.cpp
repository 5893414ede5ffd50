// Generators that target output codes: every code, and every midpoint between neighbouring codes.
#include <cmath>
#include <stdexcept>
#include <string>

#include "harness/fill/sheet.h"

namespace assay::fills {
namespace {

/// Midpoints between neighbouring nonnegative codes of q, ascending from the tie with zero.
std::vector<double> halfway_points(const Format& q) {
  std::vector<double> points;
  const int32_t largest = ordinal_of_value(q, max_finite(q));
  for (int32_t o = 0; o < largest; ++o) {
    points.push_back((decode(q, code_from_ordinal(q, o)) + decode(q, code_from_ordinal(q, o + 1))) / 2);
  }
  return points;
}

/// Fills the sheet with midpoints of both signs, scaled by a different 2^k in each group. With `beside`, values are one code next
/// to the midpoint.
void halfway(Sheet& sheet, bool beside) {
  const int q_bits = sheet.q.is_integer() ? sheet.q.mantissa_bits : sheet.q.precision();
  if (sheet.q.bits > 8 || q_bits >= sheet.format.precision()) {
    throw std::invalid_argument("fill ties: " + std::string(sheet.format.name) +
                                " cannot hold the points halfway between codes of " + std::string(sheet.q.name));
  }
  const std::vector<double> points = halfway_points(sheet.q);
  const int64_t count = int64_t(points.size());
  // range of k for which the largest code and the smallest tie stay exact in the tensor's format
  const int high = std::min(12, max_exponent(sheet.format) - max_exponent(sheet.q) - 1);
  const int low = std::max(-12, sheet.format.min_exponent() - sheet.format.mantissa_bits - std::ilogb(points.front()));
  int64_t walked = 0;
  for_each_group(sheet, [&](const Group& group) {
    const double scale = power_of_two(low + int(sheet.random.below(std::max(1, high - low + 1), group.number, kGroup)));
    sheet.values[size_t(group.begin)] = (group.number % 2 == 0 ? 1.0 : -1.0) * sheet.max_q() * scale;
    for (int64_t i = group.begin + 1; i < group.end; ++i, ++walked) {
      const bool negative = (((walked % count) ^ (walked / count)) & 1) != 0;
      const double tie = (negative ? -1.0 : 1.0) * points[size_t(walked % count)] * scale;
      sheet.values[size_t(i)] = beside ? neighbour(sheet.format, tie, sheet.random.coin(i, kPick) ? 1 : -1) : tie;
    }
  });
}

}  // namespace

void ties(Sheet& sheet) { halfway(sheet, false); }
void near_ties(Sheet& sheet) { halfway(sheet, true); }

void every_code(Sheet& sheet) {
  if (sheet.q.bits > 8)
    throw std::invalid_argument("fill every_code: " + std::string(sheet.q.name) + " has too many codes to walk");
  std::vector<double> finite;
  for (uint32_t code = 0; code < sheet.q.code_count(); ++code) {
    const double value = decode(sheet.q, code);
    if (std::isfinite(value)) finite.push_back(value);
  }
  size_t walked = 0;
  for_each_group(sheet, [&](const Group& group) {
    sheet.values[size_t(group.begin)] = (group.number % 2 == 0 ? 1.0 : -1.0) * sheet.max_q();
    for (int64_t i = group.begin + 1; i < group.end; ++i) sheet.values[size_t(i)] = finite[walked++ % finite.size()];
  });
}

}  // namespace assay::fills
