// Generators for tensor core operands: exponents far apart, cancelling sums, results at the limits of their format.
#include <algorithm>
#include <cmath>
#include <limits>

#include "harness/fill/sheet.h"
#include "harness/fill/nearest.h"

namespace assay::fills {
namespace {

double signed_significand(const Sheet& sheet, int64_t i) {
  return (sheet.random.coin(i, kSign) ? -1.0 : 1.0) * (1.0 + sheet.random.uniform(i, kValue));
}

/// 2^e with random e in [low, high], limited to the format.
double octave(const Sheet& sheet, int64_t i, int low, int high) {
  const int least = sheet.format.min_exponent() - sheet.format.mantissa_bits, most = max_exponent(sheet.format);
  const int e = low + int(sheet.random.below(high - low + 1, i, kExponent));
  return power_of_two(std::clamp(e, least, most));
}

double signed_zero(const Sheet& sheet, int64_t i) { return sheet.format.has_sign() && sheet.random.coin(i, kSign) ? -0.0 : 0.0; }

/// Random exponent of the format, at most 30 octaves from 1.
double anywhere(const Sheet& sheet, int64_t i) {
  return signed_significand(sheet, i) *
         octave(sheet, i, std::max(-30, sheet.format.min_exponent()), std::min(30, max_exponent(sheet.format) - 1));
}

/// One element in `among` is a number; all others are zeros of both signs.
void few(Sheet& sheet, int64_t among) {
  for (int64_t i = 0; i < int64_t(sheet.values.size()); ++i)
    sheet.values[size_t(i)] = sheet.random.below(among, i, kPick) == 0 ? anywhere(sheet, i) : signed_zero(sheet, i);
}

/// Exponent of the format's smallest number, subnormals included.
int bottom(const Format& format) { return format.min_exponent() - format.mantissa_bits; }

/// Zeroes a row except for the values that `put(row, at)` sets with at(column, value). Values below the format's smallest are
/// raised to it.
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

/// Column of the product that breaks a tie: in the same block as the first product for every known order of k.
int64_t breaker(const Sheet& sheet) { return sheet.columns > 4 ? 4 : sheet.columns - 1; }

/// Exponent of the largest term: as high as a factor and the result allow, and no higher than is of use.
int high_term(const Sheet& sheet) { return std::min({20, 2 * max_exponent(sheet.format), max_exponent(sheet.q) - 1}); }

bool rounds_to_nearest(const Format& d) { return d.bits == 16; }  // units round f16 and cut f32 off

/// Exponent of the first product of least_bit: the least number of the result, of f16 half of it; of factors that reach no such
/// products 1.
int low_term(const Sheet& sheet) {
  const int low = bottom(sheet.q) - (rounds_to_nearest(sheet.q) ? 1 : 0);
  return 2 * bottom(sheet.format) > low - 20 ? 0 : low;
}

int half_of(int exponent) { return exponent >= 0 ? exponent / 2 : -((1 - exponent) / 2); }

/// The neighbour above, in the format.
double next(const Format& format, double value) {
  if (format.is_integer()) return value + 1;
  const int exponent = std::max(std::ilogb(value), format.min_exponent());
  return value + power_of_two(exponent - format.mantissa_bits);
}

/// The value, or one time in four its neighbour away from zero.
double beside(const Sheet& sheet, int64_t i, double value) {
  return sheet.random.below(4, i, kPick) == 0 ? std::copysign(next(sheet.format, std::fabs(value)), value) : value;
}

/// The same value in every fourth column.
void put_in_fours(Sheet& sheet, int64_t place, double value) {
  for (int64_t i = 0; i < int64_t(sheet.values.size()); ++i)
    if (i % sheet.columns % 4 == place) sheet.values[size_t(i)] = value;
}

}  // namespace

void uniform_bits(Sheet& sheet) {
  const Format& f = sheet.format;
  const uint32_t top = f.exponent_bits == 0 ? 0 : 1u << (f.mantissa_bits + f.exponent_bits - 1);  // highest bit of the exponent
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
    const bool wide = row / 2 % 2 == 1, up = row / 4 % 2 == 1;  // 1.5 * 1.5 = 2.25: a product with a significand of 2 or more
    at(0, power_of_two(high) * (wide ? 1.5 : 1.0));
    if (rounds_to_nearest(sheet.q))
      at(1, power_of_two(high - 5 + int(wide)) * (up ? 1 : 3));  // ties that round down to even, and up
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
    sheet.values[size_t(i)] =
        power_of_two(least + int(sheet.random.below(2, i, kExponent))) * (1 + std::floor(sheet.random.uniform(i, kValue) * 8) / 8);
  }
}

void zero_signs(Sheet& sheet) {
  const double minus = sheet.format.has_sign() && !sheet.format.is_integer() ? -0.0 : 0.0;
  for (int64_t i = 0; i < int64_t(sheet.values.size()); ++i) {
    const int64_t kind = i / sheet.columns % 4;
    sheet.values[size_t(i)] = kind == 0 || (kind == 3 && i % sheet.columns % 2 == 0) ? minus : 0.0;
  }
}

}  // namespace assay::fills
