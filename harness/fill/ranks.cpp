// Generators for all-reduce inputs. Each rank knows its number and the number of ranks; values that ranks must agree on come from
// a shared stream.
#include <array>
#include <cmath>
#include <limits>

#include "harness/fill/sheet.h"

namespace assay::fills {
namespace {

int64_t rank_of_element(const Sheet& sheet, int64_t i, uint32_t lane) { return sheet.shared.below(sheet.ranks, i, lane); }

/// A random rank other than `rank`.
int64_t other_than(const Sheet& sheet, int64_t rank, int64_t i, uint32_t lane) {
  return (rank + 1 + sheet.shared.below(std::max(1, sheet.ranks - 1), i, lane)) % sheet.ranks;
}

double least(const Format& format) { return power_of_two(format.min_exponent() - format.mantissa_bits); }

/// Cycles through sixteen combinations of special values.
double special(const Sheet& sheet, int64_t i) {
  const Format& f = sheet.format;
  const int64_t chosen = rank_of_element(sheet, i, kPick), other = other_than(sheet, chosen, i, kPlace);
  const bool own = sheet.rank == chosen;
  const double infinity = std::numeric_limits<double>::infinity(), sign = sheet.random.coin(i, kSign) ? -1 : 1;
  const double subnormal = least(f) * double(1 + sheet.random.below((1 << std::min(f.mantissa_bits, 20)) - 1, i, kValue));
  const std::array<double, 16> situations = {
      own ? std::nan("") : 1.0,  // NaN on one rank
      own ? infinity : -1.0,     // Inf on one rank
      own                   ? infinity
      : sheet.rank == other ? -infinity
                            : 1.0,                   // Inf of both signs, on two ranks
      -0.0,                                          // all -0
      0.0,                                           // all +0
      sheet.random.coin(i, kExponent) ? -0.0 : 0.0,  // mixed zeros
      own ? -0.0 : 0.0,                              // -0 on one rank
      -least(f),                                     // the negative subnormal whose code is that of -0 plus one
      sign * subnormal,                              // any subnormal
      own ? -least(f) : 0.0,                         // one subnormal, other ranks zero
      own ? sign * subnormal : -0.0,                 // one subnormal, other ranks -0
      sign * power_of_two(f.min_exponent()),         // smallest normal number
      own ? max_finite(f) : -0.0,                    // largest finite number on one rank
      own                   ? subnormal
      : sheet.rank == other ? -subnormal
                            : -0.0,  // subnormals on two ranks
      sheet.random.normal(i),
      sheet.random.normal(i) * power_of_two(-8),
  };
  return situations[size_t(i % 16)];
}

}  // namespace

void rank_integers(Sheet& sheet) {
  for (int64_t i = 0; i < int64_t(sheet.values.size()); ++i) {
    const double magnitude = double(1 + sheet.random.below(15, i, kValue));
    sheet.values[size_t(i)] = sheet.random.coin(i, kSign) ? -magnitude : magnitude;
  }
}

void rank_counts(Sheet& sheet) {
  for (int64_t i = 0; i < int64_t(sheet.values.size()); ++i) sheet.values[size_t(i)] = double(1 + sheet.random.below(15, i, kValue));
}

void ranks_alike(Sheet& sheet) {
  for (int64_t i = 0; i < int64_t(sheet.values.size()); ++i) sheet.values[size_t(i)] = double(i % 23);
}

void rank_cancel(Sheet& sheet) {
  const int exponent = std::min(24, max_exponent(sheet.format));
  for (int64_t i = 0; i < int64_t(sheet.values.size()); ++i) {
    const int64_t up = rank_of_element(sheet, i, kPick), down = other_than(sheet, up, i, kPlace);
    const double large = (1 + double(sheet.shared.below(64, i, kValue)) / 128) * power_of_two(exponent);
    sheet.values[size_t(i)] = sheet.rank == up ? large : sheet.rank == down ? -large : sheet.random.normal(i);
  }
}

void rank_overflow(Sheet& sheet) {
  for (int64_t i = 0; i < int64_t(sheet.values.size()); ++i) {
    // Half of the ranks, beginning with a random one, are positive.
    const int64_t place = (sheet.rank + rank_of_element(sheet, i, kPick)) % sheet.ranks;
    const double magnitude = max_finite(sheet.format) * (1 - double(sheet.random.below(32, i, kValue)) / 256);
    sheet.values[size_t(i)] = 2 * place < sheet.ranks ? magnitude : -magnitude;
  }
}

void rank_specials(Sheet& sheet) {
  for (int64_t i = 0; i < int64_t(sheet.values.size()); ++i) sheet.values[size_t(i)] = special(sheet, i);
}

}  // namespace assay::fills
