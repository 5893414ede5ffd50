#include "reference/exact/sum.h"

#include <cmath>
#include <limits>

namespace assay {

void ExactSum::add(double value) {
  if (value == 0) return;
  const int lowest_bit = std::ilogb(value) - 52;
  const auto limb = static_cast<size_t>((lowest_bit - kLowestExponent) / 32);
  // 53 bits that start anywhere in a digit of 32 touch three digits. Every step is exact, and truncation keeps the sign, so each
  // addition changes a limb by less than 2^32.
  double rest = std::ldexp(value, -(kLowestExponent + 32 * static_cast<int>(limb + 2)));
  for (size_t i = 3; i-- > 0;) {
    const double digit = std::trunc(rest);
    limbs_[limb + i] += static_cast<int64_t>(digit);
    rest = (rest - digit) * 0x1p32;
  }
}

double ExactSum::rounded(bool up) const {
  // Carry so that every limb but the top lies in [0, 2^32).
  std::array<int64_t, kLimbs> digits = limbs_;
  for (size_t i = 0; i + 1 < digits.size(); ++i) {
    const int64_t carry = digits[i] >> 32;
    digits[i] -= carry * (int64_t{1} << 32);
    digits[i + 1] += carry;
  }
  double sum = 0, error_sign = 0;
  for (size_t i = digits.size(); i-- > 0;) {
    const double term = std::ldexp(double(digits[i]), kLowestExponent + 32 * int(i));
    const double next = sum + term;
    // Fast two-sum is exact here: |sum| is zero or a multiple of a larger power of two than term's.
    const double error = term - (next - sum);
    sum = next;
    if (error != 0) {
      error_sign = error;  // the digits below cannot reach one unit of this error, so its sign decides
      break;
    }
  }
  if (error_sign > 0 && up) return std::nextafter(sum, HUGE_VAL);
  if (error_sign < 0 && !up) return std::nextafter(sum, -HUGE_VAL);
  return sum;
}

double ExactSum::rounded_down() const { return rounded(false); }
double ExactSum::rounded_up() const { return rounded(true); }

SumBounds exact_sum_of_squares(std::span<const double> values) {
  ExactSum sum;
  bool infinite = false;
  for (double value : values) {
    if (std::isnan(value)) return {value, value};
    if (std::isinf(value)) infinite = true;
    else sum.add(value * value);
  }
  if (infinite) return {HUGE_VAL, HUGE_VAL};
  return {sum.rounded_down(), sum.rounded_up()};
}

}  // namespace assay
