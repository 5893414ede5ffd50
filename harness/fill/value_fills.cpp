// Generators of single values, output codes, ranges of a group, and rows.
#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

#include "harness/fill/fill.h"
#include "harness/fill/fill_sheet.h"

namespace assay::fills {
namespace {

// Generators that make each element independently.

template <class Value>
void for_each_element(Sheet& sheet, Value value) {
  for (int64_t i = 0; i < int64_t(sheet.values.size()); ++i) sheet.values[size_t(i)] = value(i);
}

/// 1 <= significand < 2, a multiple of 2^-32.
double significand(const Sheet& sheet, int64_t i) { return 1.0 + sheet.random.uniform(i, kValue); }
double sign(const Sheet& sheet, int64_t i) { return sheet.random.coin(i, kSign) ? -1.0 : 1.0; }

/// A random exponent in [low, high].
int exponent(const Sheet& sheet, int64_t i, int low, int high) {
  return low + int(sheet.random.below(high - low + 1, i, kExponent));
}

}  // namespace

double power_of_two(int exponent) { return std::ldexp(1.0, exponent); }

int max_exponent(const Format& format) { return std::ilogb(max_finite(format)); }

void normal(Sheet& sheet) {
  sheet.random.normals(0, sheet.values);
}

void uniform01(Sheet& sheet) {
  for_each_element(sheet, [&](int64_t i) { return sheet.random.uniform(i, kValue); });
}

void wide(Sheet& sheet) {
  const int low = std::max(-40, sheet.format.min_exponent());
  const int high = std::min(39, max_exponent(sheet.format) - 1);
  for_each_element(sheet, [&](int64_t i) {
    return sign(sheet, i) * significand(sheet, i) * power_of_two(exponent(sheet, i, low, std::max(low, high)));
  });
}

void ramp(Sheet& sheet) {
  // Values repeat with an odd period, so elements at a distance of 2, 4, 8, ... differ. Values have at most 7 significant bits,
  // so they are exact in bf16, f16 and fp32.
  const double unit = sheet.format.is_integer() ? 1.0 : 0x1p-4;
  for_each_element(sheet, [&](int64_t i) { return double(i % 255 - 127) * unit; });
}

void zeros(Sheet& sheet) {
  for_each_element(sheet, [&](int64_t i) { return sign(sheet, i) * 0.0; });
}

void ones(Sheet& sheet) {
  for_each_element(sheet, [](int64_t) { return 1.0; });
}

void gamma(Sheet& sheet) {
  for_each_element(sheet, [&](int64_t i) { return 1.0 + sheet.random.normal(i) * 0x1p-4; });
}

void outliers(Sheet& sheet) {
  for_each_element(sheet, [&](int64_t i) {
    const bool is_outlier = sheet.random.below(1024, i, kPick) == 0;
    return sheet.random.normal(i) * (is_outlier ? 0x1p10 : 1.0);
  });
  if (sheet.values.empty()) return;
  const int64_t place = sheet.random.below(int64_t(sheet.values.size()), 0, kPlace);
  sheet.values[size_t(place)] = power_of_two(std::min(30, max_exponent(sheet.format)));
}

void huge(Sheet& sheet) {
  const double largest = max_finite(sheet.format);
  for_each_element(sheet, [&](int64_t i) { return sign(sheet, i) * largest * (0.5 + 0.5 * sheet.random.uniform(i, kValue)); });
}

void eps_dominated(Sheet& sheet) {
  constexpr double kRootMeanSquare[] = {1e-6, 1e-3, 1.0, 1e3};
  for_each_element(sheet, [&](int64_t i) { return sheet.random.normal(i) * kRootMeanSquare[i / sheet.columns % 4]; });
}

void off_center(Sheet& sheet) {
  constexpr double kMean[] = {0, 8, -64, 512};
  for_each_element(sheet, [&](int64_t i) { return sheet.random.normal(i) + kMean[i / sheet.columns % 4]; });
}

void scales(Sheet& sheet) {
  for_each_element(sheet, [&](int64_t i) { return significand(sheet, i) * power_of_two(exponent(sheet, i, -8, 7)); });
}

void pow2_scales(Sheet& sheet) {
  for_each_element(sheet, [&](int64_t i) { return power_of_two(exponent(sheet, i, -8, 8)); });
}

/// Writes scales s = 7 * 2^k. For x = 25/16 * s or 29/16 * s, which are bf16 numbers, x / s is exactly a tie; x * fl(1/s) is not.
void scales_of_seven(Sheet& sheet) {
  for_each_element(sheet, [&](int64_t i) { return 7 * power_of_two(exponent(sheet, i, -6, 2)); });
}

void zero_points(Sheet& sheet) {
  for_each_element(sheet, [&](int64_t i) {
    const int64_t place = sheet.random.below(254, i, kValue);
    return double(place < 127 ? place - 127 : place - 126);
  });
}

void far_zero_points(Sheet& sheet) {
  for_each_element(sheet, [&](int64_t i) { return sign(sheet, i) * double(129 + sheet.random.below(895, i, kValue)); });
}

/// Normal numbers, about half of them multiplied by ten. Source: sglang sgl-kernel/python/sgl_kernel/test_utils.py, commit
/// 0af4f61e.
void half_tenfold(Sheet& sheet) {
  for_each_element(sheet, [&](int64_t i) { return sheet.random.normal(i) * (sheet.random.coin(i, kPick) ? 10 : 1); });
}

/// The distribution of token_random in vllm tests/kernels/moe/test_silu_mul_fp8_quant_deep_gemm.py, commit 054e784a.
void row_octaves(Sheet& sheet) {
  for_each_element(sheet, [&](int64_t i) {
    const auto octave = 1 + int(sheet.random.below(19, i / sheet.columns, kExponent));
    return sign(sheet, i) * sheet.random.uniform(i, kValue) * power_of_two(octave);
  });
}

void lone_mantissa(Sheet& sheet) {
  for_each_element(sheet, [&](int64_t i) { return i % sheet.columns % 4 == (i / sheet.columns + 1) % 4 ? 1.5 : 1.0; });
}

void swallowed(Sheet& sheet) {
  for_each_element(sheet, [&](int64_t i) { return i % sheet.columns < 32 ? 1.0 : std::ldexp(1 - 0x1p-8, -12); });
}

void edge_scales(Sheet& sheet) {
  pow2_scales(sheet);
  const double edges[] = {0, 0x1p-126, 0x1p127, HUGE_VAL};
  for (int64_t i = 0; i < int64_t(sheet.values.size()); ++i)
    if (i % 3 == 0) sheet.values[size_t(i)] = edges[i / 3 % 4];
}

void gate_open(Sheet& sheet) {
  for_each_element(sheet, [](int64_t) { return 32.0; });
}

void subnormal(Sheet& sheet) {
  const int64_t kinds = sheet.format.is_integer() ? 1 : (int64_t{1} << sheet.format.mantissa_bits) - 1;
  const double least = neighbour(sheet.format, 0.0, 1);
  for_each_element(sheet, [&](int64_t i) {
    const double magnitude = least * double(1 + (kinds > 1 ? sheet.random.below(kinds, i, kPick) : 0));
    return sheet.random.coin(i, kSign) && sheet.format.has_sign() ? -magnitude : magnitude;
  });
}

/// Every bf16 number from -20 to -88: in steps of 1/8 to -32, of 1/4 to -64, of 1/2 to -88.
void gate_closed(Sheet& sheet) {
  constexpr int64_t kEighths = 96, kQuarters = 128, kHalves = 49;
  for_each_element(sheet, [](int64_t i) {
    const int64_t place = i * 29 % (kEighths + kQuarters + kHalves);  // with stride 29, neighbours differ and every number occurs
    if (place < kEighths) return -20.0 - double(place) / 8;
    if (place < kEighths + kQuarters) return -32.0 - double(place - kEighths) / 4;
    return -64.0 - double(place - kEighths - kQuarters) / 2;
  });
}

namespace {

// Generators that target output codes: every code, and every midpoint between neighbouring codes.

/// Midpoints between neighbouring nonnegative codes of q, ascending from the tie with zero.
std::vector<double> halfway_points(const Format& q) {
  std::vector<double> points;
  const int32_t largest = ordinal_of_value(q, max_finite(q));
  for (int32_t o = 0; o < largest; ++o) {
    points.push_back((decode(q, code_from_ordinal(q, o)) + decode(q, code_from_ordinal(q, o + 1))) / 2);
  }
  return points;
}

/// Fills the sheet with midpoints of both signs, scaled by a different 2^k in each group. With `beside`, each value is one code
/// above or below a midpoint.
void halfway(Sheet& sheet, bool beside) {
  const int q_bits = sheet.q.is_integer() ? sheet.q.mantissa_bits : sheet.q.precision();
  if (sheet.q.bits > 8 || q_bits >= sheet.format.precision()) {
    throw std::invalid_argument("fill ties: " + std::string(sheet.format.name) +
                                " cannot hold the points halfway between codes of " + std::string(sheet.q.name));
  }
  const std::vector<double> points = halfway_points(sheet.q);
  const int64_t count = int64_t(points.size());
  // range of k: 2^k times q's largest code, or times its smallest midpoint, must be exact in the tensor's format
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
    throw std::invalid_argument("fill every_code: " + std::string(sheet.q.name) + " has too many codes to enumerate");
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

// Generators that choose a group's minimum and maximum, and with them a scale and a zero point.

/// The op quantizes x to x / 2^k + z with z = -128 - min / 2^k. All elements but the minimum and the maximum become midpoints
/// between codes. Midpoints whose x / 2^k has more than eight bits are left out, since they are not exact in bf16.
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

// Generators for the ends of groups, rows and blocks, and for rows after a row with NaN or Inf.

void ends(Sheet& sheet) {
  sheet.random.normals(0, sheet.values);
  for_each_group(sheet, [&](const Group& group) {
    const bool last_of_rows = group.row % 128 == 127 || group.row + 1 == sheet.rows;
    const double magnitude = (1.0 + sheet.random.uniform(group.number, kGroup)) * (last_of_rows ? 32.0 : 8.0);
    const int64_t place =
        (group.row + group.in_row) % 2 == 0 || group.end == (group.row + 1) * sheet.columns ? group.end - 1 : group.begin;
    sheet.values[size_t(place)] = sheet.random.coin(group.number, kSign) ? -magnitude : magnitude;
  });
}

void spoiled_rows(Sheet& sheet) {
  const bool has_nan = !sheet.format.is_integer();
  const bool has_infinity = sheet.format.specials == Specials::kIeee;
  for (int64_t row = 0; row < sheet.rows && sheet.columns > 0; ++row) {
    const int64_t turn = row % 6, begin = row * sheet.columns, place = begin + sheet.random.below(sheet.columns, row, kPlace);
    if (turn == 2 || turn == 4) continue;  // rows of zeros
    for (int64_t i = begin; i < begin + sheet.columns; ++i) sheet.values[size_t(i)] = sheet.random.normal(i);
    if (turn == 1 && has_nan) sheet.codes.push_back({place, code_of(sheet.format, std::nan(""))});
    if (turn == 3 && has_infinity) sheet.values[size_t(place)] = HUGE_VAL;
  }
}

}  // namespace assay::fills
