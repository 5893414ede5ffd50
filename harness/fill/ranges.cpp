// Generators that choose a group's minimum and maximum, and with them a scale and a zero point.
#include <algorithm>
#include <cmath>

#include "harness/fill/sheet.h"

namespace assay::fills {

/// Codes are x / 2^k + z with z = -128 - min / 2^k. Midpoints with more than eight bits are left out, since bf16 cannot hold
/// them.
void extent_ties(Sheet& sheet) {
  for_each_group(sheet, [&](const Group& group) {
    const double step = power_of_two(int(group.number % 13) - 6);
    const int64_t z = sheet.random.below(256, group.number, kGroup) - 128;
    const int64_t low = std::max<int64_t>(-128, -128 - z), high = std::min<int64_t>(127, 126 - z);
    for (int64_t i = group.begin; i < group.end; ++i)
      sheet.values[size_t(i)] = (double(low + sheet.random.below(high - low + 1, i, kValue)) + 0.5) * step;
    const int64_t place = sheet.random.below(group.size(), group.number, kPlace);
    sheet.values[size_t(group.begin + place)] = double(-128 - z) * step;
    sheet.values[size_t(group.begin + (place + group.size() / 2) % group.size())] = double(127 - z) * step;
  });
}

void odd_ranges(Sheet& sheet) {
  const bool has_nan = sheet.format.specials == Specials::kIeee;
  for_each_group(sheet, [&](const Group& group) {
    const auto put_nan = [&](int64_t end) {
      for (int64_t i = group.begin; has_nan && i < end; ++i) sheet.codes.push_back({i, nan_code(sheet.format, i)});
    };
    const double c = sign_of_group(sheet, group) * (1.0 + sheet.random.uniform(group.number, kExponent));
    const auto set = [&](double by, bool spread) {
      for (int64_t i = group.begin; i < group.end; ++i)
        sheet.values[size_t(i)] = by * (spread ? 1.0 + sheet.random.uniform(i, kValue) : 1.0);
    };
    switch (group.number % 8) {
      case 0:
        set(c, true);
        break;
      case 1:
        for (int64_t i = group.begin; i < group.end; ++i)
          sheet.values[size_t(i)] = double(sheet.random.below(14, i, kPick) - 10) * neighbour(sheet.format, 0.0, 1);
        break;
      case 2:
        set(-c, true);
        break;
      case 3:
        set(c, false);
        break;
      case 4:
        set(0.0, false);
        break;
      case 5:
        put_nan(group.end);
        break;
      case 6:
        set(HUGE_VAL, false);
        break;
      default:
        set(c, true);
        put_nan(group.begin + 1);
    }
  });
}

void end_ranges(Sheet& sheet) {
  const bool has_nan = sheet.format.specials == Specials::kIeee;
  for_each_group(sheet, [&](const Group& group) {
    const double step = power_of_two(int(sheet.random.below(13, group.number, kExponent)) - 6);
    const auto set = [&](auto value) {
      for (int64_t i = group.begin; i < group.end; ++i) sheet.values[size_t(i)] = value(i) * step;
    };
    const auto put_ends = [&](double low, double high) {
      sheet.values[size_t(group.begin)] = low * step, sheet.values[size_t(group.end - 1)] = high * step;
    };
    const auto put_nan = [&](int64_t end) {
      for (int64_t i = group.begin; has_nan && i < end; ++i) sheet.codes.push_back({i, nan_code(sheet.format, i)});
    };
    const auto positive = [&](int64_t i) { return 1.0 + sheet.random.uniform(i, kValue); };
    switch (group.number % 6) {
      case 0:
        set(positive);
        break;
      case 1:
        set([&](int64_t i) { return -positive(i); });
        break;
      case 2:
        set([&](int64_t i) { return double(sheet.random.below(254, i, kValue)) - 126.5; });
        put_ends(-127.5, 127.5);
        break;
      case 3:
        set([&](int64_t i) { return 7.0 * (double(sheet.random.below(17, i, kValue)) + 1.5); });
        put_ends(7.0, 7.0 * 256);
        break;
      case 4:
        put_nan(group.end);
        break;
      default:
        set(positive);
        put_nan(group.begin + 1);
    }
  });
}

}  // namespace assay::fills
