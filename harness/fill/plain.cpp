// Generators that make each element independently.
#include <cmath>

#include "harness/fill/sheet.h"

namespace assay::fills {
namespace {

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
  for_each_element(sheet, [&](int64_t i) { return sheet.random.normal(i); });
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
  // An odd period, so that no power-of-two stride repeats a value; 8 bits, so that every format from bf16 up holds it.
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

/// 25/16 and 29/16 of 7 * 2^k have eight bits. Times fl(1/7) they land next to the tie that x / 7 hits exactly.
void scales_of_seven(Sheet& sheet) {
  for_each_element(sheet, [&](int64_t i) { return 7 * power_of_two(exponent(sheet, i, -6, 2)); });
}

void zero_points(Sheet& sheet) {
  for_each_element(sheet, [&](int64_t i) {
    const int64_t place = sheet.random.below(254, i, kValue);
    return double(place < 127 ? place - 127 : place - 126);
  });
}

/// sglang sgl-kernel/python/sgl_kernel/test_utils.py 0af4f61e: normal, times ten where another normal number is below 0.001.
void half_tenfold(Sheet& sheet) {
  for_each_element(sheet, [&](int64_t i) { return sheet.random.normal(i) * (sheet.random.coin(i, kPick) ? 10 : 1); });
}

/// vllm tests/kernels/moe/test_silu_mul_fp8_quant_deep_gemm.py 054e784a, token_random.
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

/// Every bf16 number in the range: steps of 1/8 down to -32, of 1/4 to -64, of 1/2 to -88.
void gate_closed(Sheet& sheet) {
  constexpr int64_t kEighths = 96, kQuarters = 128, kHalves = 49;
  for_each_element(sheet, [](int64_t i) {
    const int64_t place = i * 29 % (kEighths + kQuarters + kHalves);  // stride 29: neighbours differ, and every number occurs
    if (place < kEighths) return -20.0 - double(place) / 8;
    if (place < kEighths + kQuarters) return -32.0 - double(place - kEighths) / 4;
    return -64.0 - double(place - kEighths - kQuarters) / 2;
  });
}

}  // namespace assay::fills
