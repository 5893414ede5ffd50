#include "reference/dot/operand.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>

#include "reference/formats/codes.h"

namespace assay {
namespace {

constexpr int kMostBits = 11;       ///< of a code: f16's
constexpr int kMostScaleBits = 24;  ///< of a scale: f32's
constexpr size_t kSegment = 256;    ///< values looked at together
constexpr size_t kLanes = 16;       ///< sums and extremes side by side

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

bool is_floating(const Format& f) { return f.specials != Specials::kInteger && f.specials != Specials::kBits; }

/// Exponent of the step between the smallest values of a format.
int least_step_exponent(const Format& f) { return is_floating(f) ? f.min_exponent() - f.mantissa_bits : 0; }

/// The largest magnitude of a code; two's complement reaches one further below zero.
double largest_magnitude(const Format& f) { return is_floating(f) ? max_finite(f) : max_finite(f) + 1; }

/// The largest power of two that divides a number, 0 for 0.
double lowest_bit(double x) {
  if (x == 0 || !std::isfinite(x)) return 0;
  int exponent;
  const auto significand = int64_t(std::ldexp(std::frexp(x, &exponent), std::numeric_limits<double>::digits));
  return std::ldexp(double(significand & -significand), exponent - std::numeric_limits<double>::digits);
}

/// The step of a format's grid at its value x.
double step_at(const Format& f, double x) {
  return is_floating(f) ? std::ldexp(1.0, std::max(std::ilogb(x), f.min_exponent()) - f.mantissa_bits) : 1;
}

/// Elements `stride` apart, brought together and decoded. Few operands lie so.
void decode_strided(const Format& f, const std::byte* codes, int64_t stride, std::span<double> values) {
  const auto bytes = int64_t(f.bytes());
  std::vector<std::byte> dense(values.size() * size_t(bytes));
  for (int64_t i = 0; i < int64_t(values.size()); ++i) std::copy_n(codes + i * stride * bytes, bytes, dense.data() + i * bytes);
  decode_all(f, dense.data(), values);
}

struct Extremes {
  double squares = 0, least = HUGE_VAL;  ///< of magnitudes other than 0
  bool special = false, nan = false;
};

/// What is not finite makes a NaN of 0 * x; it does not count otherwise.
Extremes extremes(std::span<const double> values) {
  std::array<double, kLanes> squares{}, zeros{}, least;
  least.fill(HUGE_VAL);
  const auto look = [&](const double* x) {
    for (size_t i = 0; i < kLanes; ++i) {
      const double magnitude = std::fabs(x[i]), zero = 0 * x[i], kept = zero == 0 ? magnitude : 0.0, other = kept > 0 ? kept : HUGE_VAL;
      squares[i] += kept * kept;
      zeros[i] += zero;
      least[i] = other < least[i] ? other : least[i];
    }
  };
  const size_t whole = values.size() / kLanes * kLanes;
  for (size_t i = 0; i < whole; i += kLanes) look(values.data() + i);
  std::array<double, kLanes> rest{};
  std::copy(values.begin() + int64_t(whole), values.end(), rest.begin());
  look(rest.data());
  Extremes all;
  for (size_t i = 0; i < kLanes; ++i) {
    all.squares += squares[i];
    all.least = std::min(all.least, least[i]);
    all.special = all.special || zeros[i] != 0;
  }
  all.nan = all.special && std::any_of(values.begin(), values.end(), [](double x) { return std::isnan(x); });
  return all;
}

}  // namespace

DecodedOperand::DecodedOperand(const DotOperand& operand, int64_t k) : operand_(operand), k_(k) {
  const Format& f = *operand.format;
  if (f.precision() > kMostBits || f.specials == Specials::kBits)
    throw std::invalid_argument("an exact dot product takes formats of at most 11 bits of precision, not " + std::string(f.name));
  if (f.bytes() == 1)
    for (uint32_t code = 0; code <= std::numeric_limits<uint8_t>::max(); ++code) table_.push_back(assay::decode(f, code));
  const DotScales& grid = operand.scales;
  if (!grid.codes || k == 0) return;  // without k there is no block that a scale could be of
  if (grid.format->precision() > kMostScaleBits || grid.rows_per_scale < 1 || grid.k_per_scale < 1)
    throw std::invalid_argument("scales of an exact dot product have at most 24 bits and are of at least one row and one k");
  scales_per_row_ = ceil_div(k, grid.k_per_scale);
  scales_change_ = scales_per_row_ > 1;
  const int64_t scale_rows = ceil_div(operand.rows, grid.rows_per_scale);
  scales_.resize(size_t(scale_rows * scales_per_row_));
  for (int64_t row = 0; row < scale_rows; ++row) {
    const std::span<double> to(scales_.data() + row * scales_per_row_, size_t(scales_per_row_));
    decode_strided(*grid.format, grid.codes + row * grid.row_stride * grid.format->bytes(), grid.k_stride, to);
  }
}

int64_t DecodedOperand::run_of_scale(int64_t k) const {
  if (!scales_change_) return k_ - k;
  return std::min(k_ - k, operand_.scales.k_per_scale - k % operand_.scales.k_per_scale);
}

void DecodedOperand::decode(int64_t row, int64_t first, std::span<double> values) const {
  const int64_t place = row * operand_.row_stride + first * operand_.k_stride;
  const std::byte* codes = operand_.codes + place * operand_.format->bytes();
  if (!table_.empty()) {
    for (size_t i = 0; i < values.size(); ++i) values[i] = table_[std::to_integer<size_t>(codes[int64_t(i) * operand_.k_stride])];
  } else if (operand_.k_stride == 1) {
    decode_all(*operand_.format, codes, values);
  } else {
    decode_strided(*operand_.format, codes, operand_.k_stride, values);
  }
}

void DecodedOperand::values(int64_t row, int64_t first, bool finite, std::span<double> values) const {
  decode(row, first, values);
  if (scales_change_) {
    for (int64_t i = 0, n = int64_t(values.size()), run; i < n; i += run) {
      run = std::min(n - i, run_of_scale(first + i));
      const double s = scale(row, first + i);
      for (int64_t j = i; j < i + run; ++j) values[size_t(j)] *= s;
    }
  }
  if (finite)
    for (double& x : values) x = std::isfinite(x) ? x : 0;
}

RowFacts DecodedOperand::facts(int64_t row) const {
  RowFacts facts{!std::isfinite(factor(row)), std::isnan(factor(row)), 0, HUGE_VAL};
  std::array<double, kSegment> buffer;
  double squares = 0;
  for (int64_t first = 0, run; first < k_; first += run) {
    run = std::min(run_of_scale(first), int64_t(kSegment));
    const std::span<double> segment(buffer.data(), size_t(run));
    decode(row, first, segment);
    const double s = scales_change_ ? scale(row, first) : 1;
    const Extremes found = extremes(segment);
    facts.special = facts.special || found.special || !std::isfinite(s);
    facts.nan = facts.nan || found.nan || std::isnan(s);
    if (!std::isfinite(s) || s == 0 || found.least == HUGE_VAL) continue;
    squares += found.squares * s * s;
    facts.step = std::min(facts.step, step_at(*operand_.format, found.least) * lowest_bit(s));
  }
  if (facts.step == HUGE_VAL) facts.step = 0;
  // Of k squares, k sums and the products with s at most k + 4 are rounded on any way to the result; the root rounds once more.
  facts.norm = std::sqrt(squares) * (1 + double(k_ + 8) * std::numeric_limits<double>::epsilon());
  return facts;
}

int64_t products_exact_in_double(const Format& a, const Format& b) {
  const double largest = largest_magnitude(a) * largest_magnitude(b);
  const int step = least_step_exponent(a) + least_step_exponent(b);
  return int64_t(std::min(std::ldexp(1.0, std::numeric_limits<double>::digits + step) / largest, 0x1p62));
}

}  // namespace assay
