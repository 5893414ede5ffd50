// Generators that choose a group's amax, and with it the scale, before its elements.
#include <cmath>

#include "harness/fill/nearest.h"
#include "harness/fill/sheet.h"

namespace assay::fills {
namespace {

/// Values of amax at which a contract's scale floor may start to apply, each with its two neighbours; and 0 and the smallest
/// subnormal.
std::vector<double> quiet_edges(const Sheet& sheet) {
  std::vector<double> edges = {0.0, neighbour(sheet.format, 0.0, 1)};
  for (const double floor : {1e-10, sheet.max_q() * 1e-10, 1e-4, sheet.max_q() * 0x1p-18, 0x1p-9}) {
    for (const int codes : {0, -1, 1}) edges.push_back(neighbour(sheet.format, floor, codes));
  }
  return edges;
}

void fill_group_with_normal(Sheet& sheet, const Group& group) {
  for (int64_t i = group.begin; i < group.end; ++i) sheet.values[size_t(i)] = sheet.random.normal(i);
}

}  // namespace

double neighbour(const Format& format, double value, int codes) {
  const int32_t place = ordinal(format, nearest_code(format, value));
  return decode(format, code_from_ordinal(format, place + codes));
}

uint32_t nan_code(const Format& format, int64_t which) {
  const uint32_t canonical = code_of(format, std::nan(""));
  if (format.specials != Specials::kIeee) return canonical;
  const uint32_t negative = canonical | 1u << (format.bits - 1);
  const uint32_t smallest_payload = code_of(format, HUGE_VAL) + 1;  // the smallest NaN payload: a conversion that truncates bits
                                                                    // turns it into Inf
  const uint32_t codes[] = {canonical, smallest_payload, negative};
  return codes[which % 3];
}

double sign_of_group(const Sheet& sheet, const Group& group) { return sheet.random.coin(group.number, kGroup) ? -1.0 : 1.0; }

void fill_group_with_amax(Sheet& sheet, const Group& group, double amax) {
  for (int64_t i = group.begin; i < group.end; ++i) {
    sheet.values[size_t(i)] = (sheet.random.coin(i, kSign) ? -1.0 : 1.0) * amax * sheet.random.uniform(i, kValue);
  }
  const int64_t place = group.begin + sheet.random.below(group.size(), group.number, kPlace);
  sheet.values[size_t(place)] = sign_of_group(sheet, group) * amax;
}

void quiet(Sheet& sheet) {
  const std::vector<double> edges = quiet_edges(sheet);
  constexpr int kLowest = -45, kHighest = -7;
  for_each_group(sheet, [&](const Group& group) {
    const int64_t turn = group.number / 2;
    // 17 and the number of binades are coprime, so a few groups already span the range
    const int exponent = kLowest + int(turn * 17 % (kHighest - kLowest + 1));
    const double swept = (1.0 + sheet.random.uniform(group.number, kGroup)) * power_of_two(exponent);
    fill_group_with_amax(sheet, group, group.number % 2 == 0 ? edges[size_t(turn) % edges.size()] : swept);
  });
}

void nan_beside_huge(Sheet& sheet) {
  huge(sheet);
  if (sheet.format.is_integer()) return;
  for_each_group(sheet, [&](const Group& group) {
    const int64_t place = group.begin + sheet.random.below(group.size(), group.number, kPlace);
    sheet.codes.push_back({place, nan_code(sheet.format, group.number)});
  });
}

void specials(Sheet& sheet) {
  const double smallest = neighbour(sheet.format, 0.0, 1);
  const bool has_nan = !sheet.format.is_integer();
  const bool has_infinity = sheet.format.specials == Specials::kIeee;
  for_each_group(sheet, [&](const Group& group) {
    fill_group_with_normal(sheet, group);
    const int64_t place = group.begin + sheet.random.below(group.size(), group.number, kPlace);
    const int64_t other = group.begin + (place - group.begin + 1) % group.size();
    const auto put_nan = [&](int64_t at) {
      if (has_nan) sheet.codes.push_back({at, nan_code(sheet.format, group.number / 8 + at)});
    };
    switch (group.number % 8) {
      case 0:
        put_nan(place);
        break;
      case 1:
        break;  // ordinary data
      case 2:
        if (has_infinity) sheet.values[size_t(place)] = HUGE_VAL;
        break;
      case 3:
        if (has_infinity) sheet.values[size_t(place)] = -HUGE_VAL;
        break;
      case 4:
        for (int64_t i = group.begin; i < group.end; ++i) {
          const double steps = double(sheet.random.below(5, i, kPick));  // 0 to 4 times the smallest subnormal, both signs
          sheet.values[size_t(i)] = (sheet.random.coin(i, kSign) ? -1.0 : 1.0) * steps * smallest;
        }
        break;
      case 5:
        for (int64_t i = group.begin; i < group.end; ++i) put_nan(i);
        break;
      case 6:
        if (has_infinity) sheet.values[size_t(other)] = HUGE_VAL;
        put_nan(place);
        break;
      case 7:
        for (int64_t i = group.begin; i < group.end; i += 2) sheet.values[size_t(i)] = -0.0;
        break;
    }
  });
}

void lone(Sheet& sheet) {
  for_each_group(sheet, [&](const Group& group) {
    const double value =
        (1.0 + double(sheet.random.below(128, group.number, kValue)) * 0x1p-7) * power_of_two(int(group.number % 8));
    sheet.values[size_t(group.begin + group.number % group.size())] = sign_of_group(sheet, group) * value;
  });
}

void steps(Sheet& sheet) {
  for_each_group(sheet,
                 [&](const Group& group) { fill_group_with_amax(sheet, group, group.in_row % 2 == 0 ? 1.0 : sheet.max_q()); });
}

void distinct(Sheet& sheet) {
  const int low = std::max(-30, sheet.format.min_exponent());
  const int high = std::min(30, max_exponent(sheet.format));
  for_each_group(sheet, [&](const Group& group) {
    fill_group_with_amax(sheet, group, power_of_two(low + int((7 * group.row + group.in_row) % (high - low + 1))));
  });
}

void pow2_edge(Sheet& sheet) {
  const double largest = sheet.max_q();
  const int high = std::max(0, std::min(8, max_exponent(sheet.format) - max_exponent(sheet.q) - 1));
  for_each_group(sheet, [&](const Group& group) {
    const double scale = power_of_two(high - int(group.number / 5 % (high + 9)));  // 2^high down to 2^-8
    const double edge = largest * scale;
    const double amounts[] = {edge, neighbour(sheet.format, edge, -1), neighbour(sheet.format, edge, 1), 224.0 * scale,
                              240.0 * scale};
    fill_group_with_amax(sheet, group, amounts[group.number % 5]);
  });
}

void octaves(Sheet& sheet) {
  const double mantissas = power_of_two(sheet.format.mantissa_bits);
  for_each_group(sheet, [&](const Group& group) {
    const double amax = 1.0 + double(group.number * 7 % int64_t(mantissas)) / mantissas;
    for (int64_t i = group.begin; i < group.end; ++i) {
      const auto octave = int((i - group.begin) % 20);
      sheet.values[size_t(i)] = (i % 2 == 0 ? amax : -amax) * power_of_two(-octave);
    }
  });
}

}  // namespace assay::fills
