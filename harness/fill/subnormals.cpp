// Generators whose largest products come from subnormal numbers or zeros: they reveal the exponent that a tensor core aligns
// those by.
#include <algorithm>

#include "harness/fill/sheet.h"

namespace assay::fills {
namespace {

constexpr int64_t kPeriod = 16;  ///< smallest number of products in a block
constexpr int64_t kApart = 4;  ///< distance of two products that cancel: in one block, and in one half of it, for every known
                               ///< order of k

double subnormal(const Sheet& sheet, int64_t i) {
  const int bits = sheet.format.mantissa_bits;
  const int64_t steps = 1 + sheet.random.below((int64_t{1} << bits) - 1, i, kValue);
  return double(steps) * power_of_two(sheet.format.min_exponent() - bits);
}

/// Of every 16 columns, the first half alternates subnormal and large numbers; its second four repeat the first four times
/// `sign`. The second half holds zeros, or numbers whose products are near the last bit kept beside such a product.
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

/// The smallest numbers of the format; one column of every four holds zeros, and another the largest power of two.
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

}  // namespace assay::fills
