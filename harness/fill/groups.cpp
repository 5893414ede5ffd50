// Fills that decide a group's amax, and with it the scale, before its elements.
#include <cmath>
#include <stdexcept>
#include <string>

#include "harness/fill/nearest.h"
#include "harness/fill/sheet.h"

namespace assay::fills {
namespace {

/// The value so many codes of the format away from (the nearest code to) a value.
double neighbour(const Format& format, double value, int codes) {
  const int32_t place = ordinal(format, nearest_code(format, value));
  return decode(format, code_from_ordinal(format, place + codes));
}

double sign_of_group(const Sheet& sheet, const Group& group) { return sheet.random.coin(group.number, kGroup) ? -1.0 : 1.0; }

/// Points halfway between neighbouring nonnegative codes of q, ascending from the tie with zero.
std::vector<double> halfway_points(const Format& q) {
  std::vector<double> points;
  const int32_t largest = ordinal_of_value(q, max_finite(q));
  for (int32_t o = 0; o < largest; ++o) {
    points.push_back((decode(q, code_from_ordinal(q, o)) + decode(q, code_from_ordinal(q, o + 1))) / 2);
  }
  return points;
}

/// Walks the halfway points over the whole sheet, both signs, scaled by another 2^k in each group, `codes` ulps beside them.
void halfway(Sheet& sheet, bool beside) {
  const int q_bits = sheet.q.specials == Specials::kInteger ? sheet.q.mantissa_bits : sheet.q.precision();
  if (sheet.q.bits > 8 || q_bits >= sheet.format.precision()) {
    throw std::invalid_argument("fill ties: " + std::string(sheet.format.name) +
                                " cannot hold the points halfway between codes of " + std::string(sheet.q.name));
  }
  const std::vector<double> points = halfway_points(sheet.q);
  const int64_t count = int64_t(points.size());
  // So far up and down that the largest code and the smallest tie stay exact in the tensor's format.
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

/// Amounts at which a contract's scale floor may set in, each with its two neighbours, and 0 and the smallest subnormal.
std::vector<double> quiet_edges(const Sheet& sheet) {
  std::vector<double> edges = {0.0, neighbour(sheet.format, 0.0, 1)};
  for (const double floor : {1e-10, sheet.max_q() * 1e-10, 1e-4, sheet.max_q() * 0x1p-18, 0x1p-9}) {
    for (const int codes : {0, -1, 1}) edges.push_back(neighbour(sheet.format, floor, codes));
  }
  return edges;
}

uint32_t nan_code(const Format& format, int64_t which) {
  const uint32_t canonical = code_of(format, std::nan(""));
  if (format.specials != Specials::kIeee) return canonical;
  const uint32_t negative = canonical | 1u << (format.bits - 1);
  const uint32_t smallest_payload = code_of(format, HUGE_VAL) + 1;  // a conversion that cuts bits off makes Inf of it
  const uint32_t codes[] = {canonical, smallest_payload, negative};
  return codes[which % 3];
}

void fill_group_with_normal(Sheet& sheet, const Group& group) {
  for (int64_t i = group.begin; i < group.end; ++i) sheet.values[size_t(i)] = sheet.random.normal(i);
}

}  // namespace

void fill_group_with_amax(Sheet& sheet, const Group& group, double amax) {
  for (int64_t i = group.begin; i < group.end; ++i) {
    sheet.values[size_t(i)] = (sheet.random.coin(i, kSign) ? -1.0 : 1.0) * amax * sheet.random.uniform(i, kValue);
  }
  const int64_t place = group.begin + sheet.random.below(group.size(), group.number, kPlace);
  sheet.values[size_t(place)] = sign_of_group(sheet, group) * amax;
}

void ties(Sheet& sheet) { halfway(sheet, false); }
void near_ties(Sheet& sheet) { halfway(sheet, true); }

void quiet(Sheet& sheet) {
  const std::vector<double> edges = quiet_edges(sheet);
  constexpr int kLowest = -45, kHighest = -7;
  for_each_group(sheet, [&](const Group& group) {
    const int64_t turn = group.number / 2;
    // 17 and the number of binades have no common divisor, so few groups already span the range.
    const int exponent = kLowest + int(turn * 17 % (kHighest - kLowest + 1));
    const double swept = (1.0 + sheet.random.uniform(group.number, kGroup)) * power_of_two(exponent);
    fill_group_with_amax(sheet, group, group.number % 2 == 0 ? edges[size_t(turn) % edges.size()] : swept);
  });
}

void nan_beside_huge(Sheet& sheet) {
  huge(sheet);
  if (sheet.format.specials == Specials::kInteger) return;
  for_each_group(sheet, [&](const Group& group) {
    const int64_t place = group.begin + sheet.random.below(group.size(), group.number, kPlace);
    sheet.codes.push_back({place, nan_code(sheet.format, group.number)});
  });
}

void specials(Sheet& sheet) {
  const double smallest = neighbour(sheet.format, 0.0, 1);
  const bool has_nan = sheet.format.specials != Specials::kInteger;
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
        break;  // ordinary
      case 2:
        if (has_infinity) sheet.values[size_t(place)] = HUGE_VAL;
        break;
      case 3:
        if (has_infinity) sheet.values[size_t(place)] = -HUGE_VAL;
        break;
      case 4:
        for (int64_t i = group.begin; i < group.end; ++i) {
          const double steps = double(sheet.random.below(5, i, kPick));  // 0 .. 4 steps of the smallest subnormal, both signs
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

/// Codes are x / 2^k + z with z = -128 - min / 2^k. Halves of more than eight bits are left out, as bf16 does not hold them.
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
