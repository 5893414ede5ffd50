// Generators for GEMM operands: quantized activations and weights, and data on which algorithm variants differ.
#include <algorithm>
#include <cmath>

#include "harness/core/blocks.h"
#include "harness/fill/sheet.h"

namespace assay::fills {
namespace {

constexpr int64_t kBlock = 128;  ///< k elements that share a scale

double signed_by_coin(const Sheet& sheet, int64_t i, double value) { return sheet.random.coin(i, kSign) ? -value : value; }

/// Standard deviation at which the largest of the quantized values reaches the format's maximum.
double deviation(const Sheet& sheet) { return max_finite(sheet.format) * 3 / 14; }

double quantum(const Format& format) {
  return format.is_integer() ? 1 : power_of_two(format.min_exponent() - format.mantissa_bits);
}

/// Writes values that depend only on their position, on all cores, since operands may have gigabytes.
template <class Number>
void each_by_its_place(Sheet& sheet, Number number) {
  constexpr int64_t kAtATime = 1 << 16;
  const auto count = int64_t(sheet.values.size());
  for_each_in_parallel((count + kAtATime - 1) / kAtATime, [&](int64_t block) {
    for (int64_t i = block * kAtATime; i < std::min(count, (block + 1) * kAtATime); ++i) sheet.values[size_t(i)] = number(i);
  });
}

/// 2^power, or the largest power of two of the format if that is smaller.
double power_or_largest(const Format& format, int power) { return power_of_two(std::min(power, max_exponent(format))); }

/// In the first 8 of every 32 columns, two of every four neighbours are large, with equal magnitude, one octave less in each row.
/// All others are small.
void large_pairs(Sheet& sheet, double second) {
  const Format& f = sheet.format;
  const int least = f.min_exponent(), octaves = max_exponent(f) - least;
  for (int64_t i = 0; i < int64_t(sheet.values.size()); ++i) {
    const int64_t row = i / sheet.columns, column = i % sheet.columns, pair = i - column % 2;
    const bool large = column % 32 < 8 && column % 4 < 2;
    const int e =
        large ? least + octaves - 1 - int(row % octaves) : least - f.mantissa_bits + int(sheet.random.below(6, i, kExponent));
    const double significand =
        1 + double(sheet.random.below(1 << f.mantissa_bits, large ? pair : i, kValue)) / (1 << f.mantissa_bits);
    const double magnitude = std::max(quantum(f), significand * power_of_two(e));
    const double own = large ? (sheet.random.coin(pair, kSign) ? -magnitude : magnitude) : signed_by_coin(sheet, i, magnitude);
    sheet.values[size_t(i)] = large && column % 2 == 1 ? second * own : own;
  }
}

/// Makes every second run of `size` columns a copy of the previous run, times `factor`.
void repeat_runs(Sheet& sheet, int64_t size, double factor) {
  for (int64_t i = 0; i < int64_t(sheet.values.size()); ++i)
    if (i % sheet.columns / size % 2 == 1) sheet.values[size_t(i)] = factor * sheet.values[size_t(i - size)];
}

}  // namespace

void equal_pairs(Sheet& sheet) { large_pairs(sheet, 1); }

void cancelling_pairs(Sheet& sheet) { large_pairs(sheet, -1); }

void amax_scales(Sheet& sheet) {
  for (int64_t i = 0; i < int64_t(sheet.values.size()); ++i)
    sheet.values[size_t(i)] =
        (1 + sheet.random.uniform(i, kValue)) * power_of_two(-10 + int(sheet.random.below(4, i, kExponent)));
}

void about_64(Sheet& sheet) {
  for (int64_t i = 0; i < int64_t(sheet.values.size()); ++i) sheet.values[size_t(i)] = 63 + double(sheet.random.below(3, i, kValue));
}

void lowest(Sheet& sheet) {
  const double least = sheet.format.is_integer() ? -max_finite(sheet.format) - 1 : -max_finite(sheet.format);
  std::fill(sheet.values.begin(), sheet.values.end(), least);
}

void least_signs(Sheet& sheet) {
  const double least = neighbour(sheet.format, 0.0, 1);
  for (int64_t i = 0; i < int64_t(sheet.values.size()); ++i)
    sheet.values[size_t(i)] = i / std::max<int64_t>(sheet.columns, 1) % 2 == 0 ? -least : least;
}

void one_in_the_middle(Sheet& sheet) {
  const int64_t middle = sheet.columns / 2;
  for (int64_t i = 0; i < int64_t(sheet.values.size()); ++i) {
    const int64_t column = i % sheet.columns;
    sheet.values[size_t(i)] = column == middle ? 1 : column < middle ? max_finite(sheet.format) : -max_finite(sheet.format);
  }
}

void one_in_the_middle_partner(Sheet& sheet) {
  one_in_the_middle(sheet);
  for (double& value : sheet.values) value = std::fabs(value);
}

void amax_scaled(Sheet& sheet) {
  const double factor = deviation(sheet);
  each_by_its_place(sheet, [&](int64_t i) { return sheet.random.normal(i) * factor; });
}

void amax_scaled_positive(Sheet& sheet) {
  amax_scaled(sheet);
  for (double& value : sheet.values) value = std::fabs(value);
}

void few_maxima(Sheet& sheet) {
  const Format& f = sheet.format;
  const int steps = 1 << f.mantissa_bits, least = f.min_exponent();
  for (int64_t i = 0; i < int64_t(sheet.values.size()); ++i) {
    const double mantissa = double(sheet.random.below(steps, i, kValue));
    const int64_t kind = sheet.random.below(512, i, kPick);
    double magnitude = mantissa * quantum(f);  // 5 of 8 are subnormal or zero
    if (kind == 0)
      magnitude = (1 + mantissa / steps) * power_of_two(max_exponent(f) - 1);
    else if (kind < 192)
      magnitude = (1 + mantissa / steps) * power_of_two(least + int(sheet.random.below(4, i, kExponent)));
    sheet.values[size_t(i)] = signed_by_coin(sheet, i, magnitude);
  }
}

void exact_sums(Sheet& sheet) {
  constexpr double kMost = 4095;  // largest sum over a row of one operand; elements of the other are at most 2, so sums stay
                                  // below 2^13
  const double step = power_or_largest(sheet.format, 0);
  for (int64_t row = 0; row < sheet.rows; ++row) {
    double sum = 0;
    const double share = std::min(1.0, kMost / (2.0 * double(std::max<int64_t>(1, sheet.columns))));
    for (int64_t column = 0; column < sheet.columns; ++column) {
      const int64_t i = row * sheet.columns + column;
      const double magnitude = double(sheet.random.below(3, i, kValue));
      if (sheet.random.uniform(i, kOther) >= share || sum + magnitude > kMost) continue;
      sum += magnitude;
      sheet.values[size_t(i)] = signed_by_coin(sheet, i, magnitude) * step;
    }
  }
}

void block_outliers(Sheet& sheet) {
  for (int64_t i = 0; i < int64_t(sheet.values.size()); ++i)
    sheet.values[size_t(i)] = sheet.random.normal(i) * deviation(sheet) / 64;
  for (int64_t row = 0; row < sheet.rows; ++row)
    for (int64_t first = 0; first < sheet.columns; first += kBlock) {
      const int64_t block = row * sheet.columns + first, size = std::min(kBlock, sheet.columns - first);
      const int64_t at = block + sheet.random.below(size, block, kPlace);
      sheet.values[size_t(at)] = signed_by_coin(sheet, at, max_finite(sheet.format));
    }
}

void equal_blocks(Sheet& sheet) {
  amax_scaled(sheet);
  repeat_runs(sheet, kBlock, 1);
}

void opposite_blocks(Sheet& sheet) {
  amax_scaled(sheet);
  repeat_runs(sheet, kBlock, -1);
}

void paired_scales(Sheet& sheet) {
  amax_scales(sheet);
  repeat_runs(sheet, 1, 1);
}

void codes_with_nans(Sheet& sheet) {
  amax_scaled(sheet);
  const Format& f = sheet.format;
  for (int64_t row = 1; row < sheet.rows; row += 4) {
    const int64_t at = row * sheet.columns + sheet.random.below(sheet.columns, row, kPlace);
    sheet.codes.push_back({at, code_of(f, std::nan(""))});
  }
}

void one_hot_rows(Sheet& sheet) {
  constexpr int64_t kStep = 37;  // shift per row; coprime to every tile size
  for (int64_t row = 1; row < sheet.rows && sheet.columns > 0; row += 2)
    sheet.values[size_t(row * sheet.columns + row * kStep % sheet.columns)] = 1;
}

void codes_in_turn(Sheet& sheet) {
  const uint32_t all = sheet.format.bits < 32 ? (1u << sheet.format.bits) - 1 : ~0u;
  for (int64_t i = 0; i < int64_t(sheet.values.size()); ++i) sheet.codes.push_back({i, uint32_t(i) & all});
}

}  // namespace assay::fills
