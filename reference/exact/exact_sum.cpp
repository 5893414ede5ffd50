// Sums in long integers, and elementary functions that MPFR computes with more bits until their rounding is certain.
#include "reference/exact/exact_sum.h"

#include <mpfr.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "reference/formats/round.h"

namespace assay {

void ExactSum::add(double value) {
  if (value == 0) return;
  const int lowest_bit = std::ilogb(value) - 52;
  const auto limb = static_cast<size_t>((lowest_bit - kLowestExponent) / 32);
  // 53 bits that begin anywhere in a 32-bit digit touch three digits. Every step is exact, and truncation keeps the sign, so an
  // addition changes a limb by less than 2^32.
  double rest = std::ldexp(value, -(kLowestExponent + 32 * static_cast<int>(limb + 2)));
  for (size_t i = 3; i-- > 0;) {
    const double digit = std::trunc(rest);
    limbs_[limb + i] += static_cast<int64_t>(digit);
    rest = (rest - digit) * 0x1p32;
  }
}

double ExactSum::rounded(bool up) const {
  // Propagates carries until every limb except the highest is in [0, 2^32).
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
    // Fast two-sum is exact: `sum` is zero, or a multiple of a power of two above |term|.
    const double error = term - (next - sum);
    sum = next;
    if (error != 0) {
      error_sign = error;  // the sign of this error decides; the digits that follow are too small to change it
      break;
    }
  }
  if (error_sign > 0 && up) return std::nextafter(sum, HUGE_VAL);
  if (error_sign < 0 && !up) return std::nextafter(sum, -HUGE_VAL);
  return sum;
}

double ExactSum::rounded_down() const { return rounded(false); }
double ExactSum::rounded_up() const { return rounded(true); }

namespace {

constexpr int kPrecision = std::numeric_limits<double>::digits;
constexpr size_t kLanes = 16;  ///< number of parallel sums; their order does not matter, since these sums are exact

/// Splits numbers at a fixed bit: the upper part is a multiple of 2^(exponent - 52). While all n numbers are below 2^(exponent -
/// 1) / n in magnitude, the sum of the upper parts is exact, and so is every lower part. Source: S. M. Rump, T. Ogita, S. Oishi,
/// "Accurate floating-point summation part I" (2008), algorithm 3.2.
class Splitter {
 public:
  explicit Splitter(int exponent) : shifter_(std::ldexp(1.5, exponent)) {}
  double above(double value) const { return (shifter_ + value) - shifter_; }

 private:
  double shifter_;
};

/// The largest magnitude; NaN if any value is NaN.
double largest_magnitude(std::span<const double> values) {
  double largest = 0, zeros = 0;
  for (double value : values) {
    const double magnitude = std::fabs(value);
    largest = magnitude > largest ? magnitude : largest;
    zeros += 0 * value;  // becomes NaN if a value is NaN or Inf
  }
  if (!std::isnan(zeros)) return largest;
  for (double value : values)
    if (std::isnan(value)) return value;
  return HUGE_VAL;
}

}  // namespace

SumBounds exact_sum_of_squares(std::span<const double> values) {
  const double largest = largest_magnitude(values);
  if (!std::isfinite(largest) || largest == 0) return {largest, largest};

  // Two splitters take about 80 bits of each square, counted down from the largest square's highest bit. Only if magnitudes
  // differ much are there lower bits; these are added to the ExactSum.
  const int headroom = std::ilogb(double(values.size())) + 2;
  const int first_exponent = 2 * std::ilogb(largest) + 2 + headroom;
  const int second_exponent = first_exponent - kPrecision + 1 + headroom;
  const Splitter first(first_exponent), second(second_exponent);
  std::array<double, kLanes> high{}, low{};
  ExactSum sum;
  for (size_t begin = 0; begin < values.size(); begin += kLanes) {
    std::array<double, kLanes> x{}, rest;
    std::copy_n(values.data() + begin, std::min(kLanes, values.size() - begin), x.data());
    double anything_left = 0;
    for (size_t k = 0; k < kLanes; ++k) {
      const double square = x[k] * x[k], above = first.above(square), below = square - above, between = second.above(below);
      high[k] += above;
      low[k] += between;
      rest[k] = below - between;
    }
    for (size_t k = 0; k < kLanes; ++k) anything_left += std::fabs(rest[k]);
    if (anything_left > 0)
      for (double value : rest) sum.add(value);
  }
  for (size_t k = 0; k < kLanes; ++k) sum.add(high[k]), sum.add(low[k]);
  return {sum.rounded_down(), sum.rounded_up()};
}

namespace {

double approximate(Function function, double x) {
  switch (function) {
    case Function::kExp: return std::exp(x);
    case Function::kExp2: return std::exp2(x);
    case Function::kLog2: return std::log2(x);
    case Function::kRsqrt: return 1 / std::sqrt(x);
    case Function::kSqrt: return std::sqrt(x);
    case Function::kTanh: return std::tanh(x);
    case Function::kErf: return std::erf(x);
  }
  return x;
}

void by_mpfr(Function function, mpfr_t y, mpfr_t x) {
  switch (function) {
    case Function::kExp: mpfr_exp(y, x, MPFR_RNDZ); break;
    case Function::kExp2: mpfr_exp2(y, x, MPFR_RNDZ); break;
    case Function::kLog2: mpfr_log2(y, x, MPFR_RNDZ); break;
    case Function::kRsqrt:
      mpfr_rec_sqrt(y, x, MPFR_RNDZ);
      if (mpfr_zero_p(x) && mpfr_signbit(x)) mpfr_set_inf(y, -1);  // IEEE 754-2019, 9.2.1; MPFR returns +Inf
      break;
    case Function::kSqrt: mpfr_sqrt(y, x, MPFR_RNDZ); break;
    case Function::kTanh: mpfr_tanh(y, x, MPFR_RNDZ); break;
    case Function::kErf: mpfr_erf(y, x, MPFR_RNDZ); break;
  }
}

double nearest(const Format& format, double value) { return round_to(format, value, Rounding::kNearestEven, Overflow::kSpecial); }

/// Rounds to odd: an odd last bit marks an inexact result, so that the next rounding, to a shorter format, acts as the only one
/// (S. Boldo, G. Melquiond, "Emulation of FMA and correctly rounded sums: proved algorithms using rounding to odd").
double made_odd(double truncated) {
  int exponent;
  const double significand = std::ldexp(std::frexp(truncated, &exponent), 53);
  const bool even = std::fmod(significand, 2) == 0;
  return even ? std::nextafter(truncated, std::copysign(HUGE_VAL, truncated)) : truncated;
}

}  // namespace

double correctly_rounded_by_mpfr(Function function, double x, const Format& format) {
  mpfr_t in, out;
  mpfr_init2(in, 53);
  mpfr_init2(out, 53);
  mpfr_set_d(in, x, MPFR_RNDN);
  mpfr_clear_flags();
  by_mpfr(function, out, in);
  const bool exact = mpfr_inexflag_p() == 0;
  const double truncated = mpfr_get_d(out, MPFR_RNDZ);
  mpfr_clear(in);
  mpfr_clear(out);
  if (!std::isfinite(truncated)) return truncated;
  return nearest(format, exact ? truncated : made_odd(truncated));
}

double correctly_rounded(Function function, double x, const Format& format) {
  const double y = approximate(function, x);
  if (!std::isfinite(y) || y == 0) return correctly_rounded_by_mpfr(function, x, format);
  // glibc documents errors of at most 2 ulp in double for these functions; 4 ulp also cover rsqrt, computed as 1 / sqrt
  const double slack = 4 * std::fabs(y) * 0x1p-52;
  const double low = nearest(format, y - slack), high = nearest(format, y + slack);
  return low == high ? low : correctly_rounded_by_mpfr(function, x, format);
}

}  // namespace assay
