#include "reference/dot/element.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "reference/exact/sum.h"

namespace assay {
namespace {

constexpr int kPrecision = std::numeric_limits<double>::digits;

/// Adds value * scale to the sum; the part of the product that double loses is a double again, for both lie far from its ends.
void add_product(double value, double scale, ExactSum& sum) {
  const double product = value * scale;
  sum.add(product);
  sum.add(std::fma(value, scale, -product));
}

/// What a number has above a fixed place: a multiple of 2^(exponent - 52). While all numbers lie below 2^(exponent - 1) / n, n such parts
/// have an exact sum, and what is left of each is exact too.
double above(double shifter, double value) { return (shifter + value) - shifter; }

/// Adds scale times the sum of products to the sum. Two places take about 80 bits below the largest product; of what is left every bit goes
/// into the long integer.
void add_block(std::span<const double> a, std::span<const double> b, double scale, ExactSum& sum) {
  double largest = 0;
  for (size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::fabs(a[i] * b[i]));
  if (largest == 0) return;
  const int headroom = std::ilogb(double(a.size())) + 2;
  const int first_exponent = std::ilogb(largest) + 2 + headroom, second_exponent = first_exponent - kPrecision + 1 + headroom;
  const double first = std::ldexp(1.5, first_exponent), second = std::ldexp(1.5, second_exponent);
  double high = 0, low = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double product = a[i] * b[i], upper = above(first, product), lower = product - upper, between = above(second, lower);
    high += upper;
    low += between;
    if (lower != between) add_product(lower - between, scale, sum);
  }
  add_product(high, scale, sum);
  add_product(low, scale, sum);
}

double plain_sum(std::span<const double> a, std::span<const double> b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

/// The sign of a block's exact sum: -1, 0, 1.
double sign_of_block(std::span<const double> a, std::span<const double> b) {
  ExactSum sum;
  add_block(a, b, 1, sum);
  const double low = sum.rounded_down(), high = sum.rounded_up();
  return high > 0 ? 1 : low < 0 ? -1 : 0;
}

}  // namespace

ExactElement ExactElements::at(int64_t row, int64_t column) {
  const auto size = size_t(a_.k());
  if (row != row_) row_values_.resize(size), a_.decode(row, 0, row_values_);
  if (column != column_) column_values_.resize(size), b_.decode(column, 0, column_values_);
  row_ = row;
  column_ = column;

  ExactSum sum;
  double special = 0;  // the sum of terms that are no numbers
  for (int64_t first = 0, run; first < a_.k(); first += run) {
    run = std::min(a_.run_of_scale(first), b_.run_of_scale(first));
    const std::span<const double> a(row_values_.data() + first, size_t(run)), b(column_values_.data() + first, size_t(run));
    const double scale = a_.scale(row, first) * b_.scale(column, first), plain = plain_sum(a, b);  // 48 bits: exact
    if (!std::isfinite(plain)) {
      special += scale * plain;
    } else if (!std::isfinite(scale)) {
      special += scale * sign_of_block(a, b);
    } else if (scale != 0 && run <= exact_products_) {
      add_product(plain, scale, sum);
    } else if (scale != 0) {
      add_block(a, b, scale, sum);
    }
  }
  if (!std::isfinite(special)) return {special, special};
  return {sum.rounded_down(), sum.rounded_up()};
}

double nearest(const Format& format, const ExactElement& element) {
  double value = element.low;
  if (element.low != element.high) {
    // Rounding to odd: a last bit of one says that the number lies beyond, so that the rounding that follows is a single one
    // (S. Boldo, G. Melquiond, "Emulation of FMA and correctly rounded sums: proved algorithms using rounding to odd").
    int exponent;
    const double significand = std::ldexp(std::frexp(element.low, &exponent), kPrecision);
    value = std::fmod(significand, 2) == 0 ? element.high : element.low;
  }
  return round_to(format, value, Rounding::kNearestEven, Overflow::kSpecial);
}

}  // namespace assay
