// Generators of GEMM and tensor core operands and of block scales.
#include <algorithm>
#include <cmath>
#include <limits>

#include "harness/core/expectation.h"
#include "harness/fill/fill.h"
#include "harness/fill/fill_sheet.h"

namespace assay::fills {
namespace {

// Generators for GEMM operands: quantized activations and weights, and data on which algorithm variants differ.

constexpr int64_t kBlock = 128;  ///< number of elements along k that share a scale

double signed_by_coin(const Sheet& sheet, int64_t i, double value) { return sheet.random.coin(i, kSign) ? -value : value; }

/// With this standard deviation, the largest of many normal numbers is about the format's maximum, as after quantization.
double deviation(const Sheet& sheet) { return max_finite(sheet.format) * 3 / 14; }

double quantum(const Format& format) {
  return format.is_integer() ? 1 : power_of_two(format.min_exponent() - format.mantissa_bits);
}

/// Fills the sheet on all cores, since operands may be gigabytes large. Each value depends only on its position.
template <class Numbers>
void each_by_its_place(Sheet& sheet, Numbers numbers) {
  constexpr int64_t kAtATime = 1 << 16;
  const std::span<double> all(sheet.values);
  const auto count = int64_t(all.size());
  for_each_in_parallel((count + kAtATime - 1) / kAtATime, [&](int64_t block) {
    const int64_t first = block * kAtATime;
    numbers(first, all.subspan(size_t(first), size_t(std::min(kAtATime, count - first))));
  });
}

/// 2^power, or the largest power of two of the format if that is smaller.
double power_or_largest(const Format& format, int power) { return power_of_two(std::min(power, max_exponent(format))); }

/// Of every 32 columns, columns (0, 1) and (4, 5) are pairs (v, second * v) of large elements; each row has half of the v of the
/// row before. All other elements are small.
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

/// Divides each row into blocks of `size` columns. Every second block becomes a copy of the block before it, times `factor`.
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
  for (int64_t i = 0; i < int64_t(sheet.values.size()); ++i)
    sheet.values[size_t(i)] = 63 + double(sheet.random.below(3, i, kValue));
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
  each_by_its_place(sheet, [&](int64_t first, std::span<double> values) {
    sheet.random.normals(first, values);
    for (double& value : values) value *= factor;
  });
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
    double magnitude = mantissa * quantum(f);  // five of eight elements are subnormal or zero
    if (kind == 0)
      magnitude = (1 + mantissa / steps) * power_of_two(max_exponent(f) - 1);
    else if (kind < 192)
      magnitude = (1 + mantissa / steps) * power_of_two(least + int(sheet.random.below(4, i, kExponent)));
    sheet.values[size_t(i)] = signed_by_coin(sheet, i, magnitude);
  }
}

void exact_sums(Sheet& sheet) {
  constexpr double kMost = 4095;  // limit on the sum of a row's magnitudes; the other operand's elements are at most 2, so sums
                                  // of products stay below 2^13
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
  constexpr int64_t kStep = 37;  // shift of the 1 from row to row; coprime to every tile size
  for (int64_t row = 1; row < sheet.rows && sheet.columns > 0; row += 2)
    sheet.values[size_t(row * sheet.columns + row * kStep % sheet.columns)] = 1;
}

void codes_in_turn(Sheet& sheet) {
  const uint32_t all = sheet.format.bits < 32 ? (1u << sheet.format.bits) - 1 : ~0u;
  for (int64_t i = 0; i < int64_t(sheet.values.size()); ++i) sheet.codes.push_back({i, uint32_t(i) & all});
}

namespace {

// Generators for tensor core operands: exponents far apart, cancelling sums, results at the limits of their format.

double signed_significand(const Sheet& sheet, int64_t i) {
  return (sheet.random.coin(i, kSign) ? -1.0 : 1.0) * (1.0 + sheet.random.uniform(i, kValue));
}

/// 2^e with random e in [low, high], clamped to the format's powers of two.
double octave(const Sheet& sheet, int64_t i, int low, int high) {
  const int least = sheet.format.min_exponent() - sheet.format.mantissa_bits, most = max_exponent(sheet.format);
  const int e = low + int(sheet.random.below(high - low + 1, i, kExponent));
  return power_of_two(std::clamp(e, least, most));
}

double signed_zero(const Sheet& sheet, int64_t i) { return sheet.format.has_sign() && sheet.random.coin(i, kSign) ? -0.0 : 0.0; }

/// A random number with a magnitude from 2^-30 to 2^31, limited to the range of the format.
double anywhere(const Sheet& sheet, int64_t i) {
  return signed_significand(sheet, i) *
         octave(sheet, i, std::max(-30, sheet.format.min_exponent()), std::min(30, max_exponent(sheet.format) - 1));
}

/// Elements are nonzero with probability 1 / `among`; the others are zeros with a random sign.
void few(Sheet& sheet, int64_t among) {
  for (int64_t i = 0; i < int64_t(sheet.values.size()); ++i)
    sheet.values[size_t(i)] = sheet.random.below(among, i, kPick) == 0 ? anywhere(sheet, i) : signed_zero(sheet, i);
}

/// Exponent of the format's smallest number, subnormals included.
int bottom(const Format& format) { return format.min_exponent() - format.mantissa_bits; }

/// Calls put(row, at) for each row; at(column, value) sets an element. All other elements stay 0. A magnitude below the format's
/// smallest number becomes that number.
template <class Put>
void sparse_rows(Sheet& sheet, Put put) {
  for (int64_t row = 0; row < sheet.rows; ++row) {
    put(row, [&](int64_t column, double value) {
      const double least = power_of_two(bottom(sheet.format));
      const double whole = std::fabs(value) < least ? std::copysign(least, value) : value;
      if (column < sheet.columns) sheet.values[size_t(row * sheet.columns + column)] = whole;
    });
  }
}

/// Column of the product that breaks a tie. Every known order of k adds it in the same block as column 0.
int64_t breaker(const Sheet& sheet) { return sheet.columns > 4 ? 4 : sheet.columns - 1; }

/// Exponent of the largest term: as high as the formats of factors and result allow, and at most 20, which suffices.
int high_term(const Sheet& sheet) { return std::min({20, 2 * max_exponent(sheet.format), max_exponent(sheet.q) - 1}); }

bool rounds_to_nearest(const Format& d) { return d.bits == 16; }  // tensor cores round f16 results and truncate f32 results

/// Exponent of the first product in each sum of least_bit: the exponent of the smallest number of the result's format; for f16,
/// one less. 0 if products cannot be so small.
int low_term(const Sheet& sheet) {
  const int low = bottom(sheet.q) - (rounds_to_nearest(sheet.q) ? 1 : 0);
  return 2 * bottom(sheet.format) > low - 20 ? 0 : low;
}

int half_of(int exponent) { return exponent >= 0 ? exponent / 2 : -((1 - exponent) / 2); }

/// The next larger number of the format.
double next(const Format& format, double value) {
  if (format.is_integer()) return value + 1;
  const int exponent = std::max(std::ilogb(value), format.min_exponent());
  return value + power_of_two(exponent - format.mantissa_bits);
}

/// The value or, with probability 1/4, its neighbour away from zero.
double beside(const Sheet& sheet, int64_t i, double value) {
  return sheet.random.below(4, i, kPick) == 0 ? std::copysign(next(sheet.format, std::fabs(value)), value) : value;
}

/// Writes `value` to the columns with column % 4 == place.
void put_in_fours(Sheet& sheet, int64_t place, double value) {
  for (int64_t i = 0; i < int64_t(sheet.values.size()); ++i)
    if (i % sheet.columns % 4 == place) sheet.values[size_t(i)] = value;
}

}  // namespace

void uniform_bits(Sheet& sheet) {
  const Format& f = sheet.format;
  const uint32_t top = f.exponent_bits == 0 ? 0 : 1u << (f.mantissa_bits + f.exponent_bits - 1);  // top bit of the exponent field
  for (int64_t i = 0; i < int64_t(sheet.values.size()); ++i) {
    uint32_t code = sheet.random.word(i, kValue) & uint32_t(f.code_count() - 1);
    if (!f.is_integer() && !std::isfinite(decode(f, code)))
      code = (code ^ top) & ~(f.specials == Specials::kFnuz ? 1u << (f.bits - 1) : 0u);
    sheet.codes.push_back({i, code});
  }
}

void near_one(Sheet& sheet) {
  for (int64_t i = 0; i < int64_t(sheet.values.size()); ++i)
    sheet.values[size_t(i)] = signed_significand(sheet, i) * octave(sheet, i, -4, 3);
}

void half_zeros(Sheet& sheet) { few(sheet, 2); }

void mostly_zeros(Sheet& sheet) { few(sheet, 16); }

void tiny(Sheet& sheet) {
  const int least = sheet.format.min_exponent();
  for (int64_t i = 0; i < int64_t(sheet.values.size()); ++i) {
    const int about = sheet.random.coin(i, kOther) ? least : least / 2;
    sheet.values[size_t(i)] = signed_significand(sheet, i) * octave(sheet, i, about - 3, about + 2);
  }
}

void near_overflow(Sheet& sheet) {
  const int root = std::min(max_exponent(sheet.format) - 1, max_exponent(sheet.q) / 2);
  for (int64_t i = 0; i < int64_t(sheet.values.size()); ++i)
    sheet.values[size_t(i)] = signed_significand(sheet, i) * octave(sheet, i, root - 1, root + 1);
}

void pairs(Sheet& sheet) {
  near_one(sheet);
  for (int64_t i = 0; i < int64_t(sheet.values.size()); ++i)
    if (i % sheet.columns % 2 == 1) sheet.values[size_t(i)] = sheet.values[size_t(i) - 1];
}

void opposite_pairs(Sheet& sheet) {
  near_one(sheet);
  for (int64_t i = 0; i < int64_t(sheet.values.size()); ++i) {
    double& value = sheet.values[size_t(i)];
    if (i % sheet.columns % 2 == 0)
      value = decode(sheet.format, nearest_code(sheet.format, value));
    else
      value = -beside(sheet, i, sheet.values[size_t(i) - 1]);
  }
}

void kept_bit(Sheet& sheet) {
  const int high = half_of(high_term(sheet));
  sparse_rows(sheet, [&](int64_t row, auto at) {
    const bool wide = row / 2 % 2 == 1, up = row / 4 % 2 == 1;  // wide: 1.5 * 1.5 = 2.25, a significand product of 2 or more
    at(0, power_of_two(high) * (wide ? 1.5 : 1.0));
    if (rounds_to_nearest(sheet.q))
      at(1, power_of_two(high - 5 + int(wide)) * (up ? 1 : 3));  // a tie that rounds up or down to even
    at(breaker(sheet), (up ? 1 : -1) * power_of_two(high - 4 - int(row % 16)));
  });
}

void kept_bit_partner(Sheet& sheet) {
  const int high = high_term(sheet) - half_of(high_term(sheet));
  sparse_rows(sheet, [&](int64_t row, auto at) {
    at(0, power_of_two(high) * 1.5);
    at(1, power_of_two(high - 6));
    at(breaker(sheet), power_of_two(high - 4 - 2 * int(row % 8)));
  });
}

void least_bit(Sheet& sheet) {
  const int low = half_of(low_term(sheet));
  sparse_rows(sheet, [&](int64_t row, auto at) {
    at(0, power_of_two(low));
    at(1, (rounds_to_nearest(sheet.q) ? 1 : -1) * power_of_two(low - int(row % 12)));
  });
}

void least_bit_partner(Sheet& sheet) {
  const int low = low_term(sheet) - half_of(low_term(sheet));
  sparse_rows(sheet, [&](int64_t row, auto at) {
    at(0, power_of_two(low));
    at(1, power_of_two(low - 4 - int(row % 8)));
  });
}

void half_ulp(Sheet& sheet) {
  sparse_rows(sheet, [&](int64_t row, auto at) {
    at(0, power_of_two(-6));
    at(1, (row % 2 == 0 ? 1 : -1) * power_of_two(-6 - int(row % 8)));
  });
}

void half_ulp_partner(Sheet& sheet) {
  sparse_rows(sheet, [&](int64_t row, auto at) {
    at(0, power_of_two(-6));
    at(1, power_of_two(-7 - int(row % 4)));
  });
}

void four_k(Sheet& sheet) { std::fill(sheet.values.begin(), sheet.values.end(), 4096.0); }

void zero_beside_tiny(Sheet& sheet) {
  const int tiny = std::max(bottom(sheet.format), half_of(bottom(sheet.q)));
  for (int64_t i = 0; i < int64_t(sheet.values.size()); ++i)
    sheet.values[size_t(i)] = signed_significand(sheet, i) * octave(sheet, i, tiny, tiny + 2);
  put_in_fours(sheet, 0, 0.0);
  put_in_fours(sheet, 2, power_of_two(max_exponent(sheet.format)));
}

void huge_beside_tiny(Sheet& sheet) {
  zero_beside_tiny(sheet);
  put_in_fours(sheet, 0, power_of_two(max_exponent(sheet.format)));
  put_in_fours(sheet, 2, 0.0);
}

void far_scales(Sheet& sheet) {
  const int near = std::min(30, max_exponent(sheet.format)), far = std::max(-30, bottom(sheet.format));
  for (int64_t i = 0; i < int64_t(sheet.values.size()); ++i)
    sheet.values[size_t(i)] =
        power_of_two(sheet.random.coin(i, kPick) ? near : far) * (1 + std::floor(sheet.random.uniform(i, kValue) * 8) / 8);
}

void low_scales(Sheet& sheet) {
  for (int64_t i = 0; i < int64_t(sheet.values.size()); ++i)
    sheet.values[size_t(i)] = power_of_two(-70 - int(sheet.random.below(3, i, kExponent)));
}

void end_scales(Sheet& sheet) {
  for (int64_t i = 0; i < int64_t(sheet.values.size()); ++i) {
    const int least = sheet.random.coin(i, kPick) ? sheet.format.min_exponent() - 2 : -sheet.format.min_exponent();
    sheet.values[size_t(i)] = power_of_two(least + int(sheet.random.below(2, i, kExponent))) *
                              (1 + std::floor(sheet.random.uniform(i, kValue) * 8) / 8);
  }
}

void zero_signs(Sheet& sheet) {
  const double minus = sheet.format.has_sign() && !sheet.format.is_integer() ? -0.0 : 0.0;
  for (int64_t i = 0; i < int64_t(sheet.values.size()); ++i) {
    const int64_t kind = i / sheet.columns % 4;
    sheet.values[size_t(i)] = kind == 0 || (kind == 3 && i % sheet.columns % 2 == 0) ? minus : 0.0;
  }
}

namespace {

// Generators whose largest products have a subnormal or zero factor. A tensor core aligns the terms of a sum by their exponents;
// the results show which exponent it assigns to such a product.

constexpr int64_t kPeriod = 16;  ///< known instructions add blocks of at least this many products
constexpr int64_t kApart = 4;  ///< distance in k of two products that cancel; every known order of k adds both in the same block
                               ///< and in the same half of the block

double subnormal(const Sheet& sheet, int64_t i) {
  const int bits = sheet.format.mantissa_bits;
  const int64_t steps = 1 + sheet.random.below((int64_t{1} << bits) - 1, i, kValue);
  return double(steps) * power_of_two(sheet.format.min_exponent() - bits);
}

/// Of every 16 columns, columns 0 to 3 alternate subnormal and large numbers, and columns 4 to 7 repeat them times `sign`. The
/// other 8 hold zeros or small numbers. Products of small numbers are so small that a sum with the large products keeps only part
/// of their bits.
void alternate(Sheet& sheet, int64_t place_of_subnormals, double sign) {
  const int bottom = std::max(-24, sheet.format.min_exponent() - sheet.format.mantissa_bits);
  for (int64_t i = 0; i < int64_t(sheet.values.size()); ++i) {
    const int64_t k = i % sheet.columns, place = k % kPeriod;
    double& value = sheet.values[size_t(i)];
    if (place >= 2 * kApart) {
      const double small = power_of_two(bottom + int(sheet.random.below(1 - bottom / 2, i, kExponent)));
      value = sheet.random.coin(i, kPick) ? 0.0 : (sheet.random.coin(i, kSign) ? -small : small);
    } else if (place >= kApart) {
      value = sign * sheet.values[size_t(i - kApart)];
    } else {
      const int large = max_exponent(sheet.format) - int(sheet.random.below(2, i, kExponent));
      value = k % 2 == place_of_subnormals ? subnormal(sheet, i) : power_of_two(large);
    }
  }
}

/// Numbers of 0 to 2 times the smallest one of the format. In every four columns, one is replaced by zeros, and one by the
/// largest power of two.
void least_beside(Sheet& sheet, int64_t place_of_zeros) {
  const double quantum = power_of_two(sheet.format.min_exponent() - sheet.format.mantissa_bits);
  for (int64_t i = 0; i < int64_t(sheet.values.size()); ++i) {
    const int64_t place = i % sheet.columns % 4;
    const double least = double(sheet.random.below(3, i, kValue)) * quantum;
    sheet.values[size_t(i)] = place == place_of_zeros       ? 0.0
                              : place + place_of_zeros == 2 ? power_of_two(max_exponent(sheet.format))
                              : sheet.random.coin(i, kSign) ? -least
                                                            : least;
  }
}

}  // namespace

void zero_beside_least(Sheet& sheet) { least_beside(sheet, 0); }

void huge_beside_least(Sheet& sheet) { least_beside(sheet, 2); }

void subnormal_pairs(Sheet& sheet) { alternate(sheet, 0, -1); }

void subnormal_pairs_partner(Sheet& sheet) { alternate(sheet, 1, 1); }

void far_below_one(Sheet& sheet) {
  for (int64_t i = 0; i < int64_t(sheet.values.size()); ++i)
    sheet.values[size_t(i)] = (sheet.random.coin(i, kSign) ? -1.0 : 1.0) * (1.0 + sheet.random.uniform(i, kValue)) *
                              power_of_two(-34 + int(sheet.random.below(27, i, kExponent)));
}

namespace {

// Generators for power-of-two scales: amax values at which a rounding rule changes the exponent, and every possible exponent.

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

}  // namespace

void exponent_rules(Sheet& sheet) {
  const std::vector<double> significands = thresholds(sheet.format);
  const int high = std::min(12, max_exponent(sheet.format) - 1), low = std::max(-12, sheet.format.min_exponent() + 1);
  for_each_group(sheet, [&](const Group& group) {
    const int64_t turn = group.number / int64_t(significands.size());
    const bool top = turn % 4 == 3;  // in the last binade, a carry gives Inf
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
  const auto codes = size_t(ordinal_of_value(sheet.q, max_finite(sheet.q))) + 1;  // nonnegative codes; about 2^31 in f32
  std::vector<double> significands = thresholds(sheet.format);
  std::erase_if(significands, [](double m) { return m > 1.75; });  // otherwise q's largest code times the scale exceeds amax
  const int low = sheet.format.min_exponent() - sheet.format.mantissa_bits, count = max_exponent(sheet.format) + 1 - low;
  for_each_group(sheet, [&](const Group& group) {
    const auto round = size_t(group.number / count);
    const int exponent = low + int(group.number % count);
    const double sign = round % 2 == 0 ? 1.0 : -1.0;
    sheet.values[size_t(group.begin)] = sign * std::ldexp(significands[round % significands.size()], exponent);
    for (int64_t i = group.begin + 1; i < group.end; ++i) {
      const size_t walked = round * size_t(group.size() - 1) + size_t(i - group.begin - 1);
      const double code = decode(sheet.q, code_from_ordinal(sheet.q, int32_t(walked % codes)));
      sheet.values[size_t(i)] = std::ldexp(walked / codes % 2 == 0 ? code : -code, exponent - max_exponent(sheet.q));
    }
  });
}

}  // namespace assay::fills
