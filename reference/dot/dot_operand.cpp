// Decodes the operands of a GEMM into panels of rows.
#include "reference/dot/dot_operand.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <stdexcept>
#include <string>

#include "reference/formats/round.h"

namespace assay {
namespace {

constexpr int kMostBits = 11;       ///< maximum precision of a code: f16 has 11 bits
constexpr int kMostScaleBits = 24;  ///< maximum precision of a scale: f32 has 24 bits

bool is_floating(const Format& f) { return !f.is_integer() && f.specials != Specials::kBits; }

/// Exponent of the distance between the smallest values of a format.
int least_step_exponent(const Format& f) { return is_floating(f) ? f.min_exponent() - f.mantissa_bits : 0; }

/// The largest magnitude of a value. For integers it is max_finite + 1, the magnitude of the smallest value.
double largest_magnitude(const Format& f) { return is_floating(f) ? max_finite(f) : max_finite(f) + 1; }

/// The largest power of two that divides a number; 0 for 0, NaN and Inf.
double lowest_bit(double x) {
  if (x == 0 || !std::isfinite(x)) return 0;
  int exponent;
  const auto significand = int64_t(std::ldexp(std::frexp(x, &exponent), std::numeric_limits<double>::digits));
  return std::ldexp(double(significand & -significand), exponent - std::numeric_limits<double>::digits);
}

/// Decodes elements that are `stride` elements apart in memory.
void decode_strided(const Format& f, const std::byte* codes, int64_t stride, std::span<double> values) {
  const auto bytes = int64_t(f.bytes());
  std::vector<std::byte> dense(values.size() * size_t(bytes));
  for (int64_t i = 0; i < int64_t(values.size()); ++i) std::copy_n(codes + i * stride * bytes, bytes, dense.data() + i * bytes);
  decode_all(f, dense.data(), values);
}

/// The exponent that a tensor core uses for alignment: a subnormal code has the exponent of the smallest normal number.
int16_t exponent_of(const Format& f, double x) {
  if (x == 0 || !std::isfinite(x)) return kNoDotExponent;
  return int16_t(is_floating(f) ? std::max(std::ilogb(x), f.min_exponent()) : std::ilogb(x));
}

}  // namespace

DecodedOperand::DecodedOperand(const DotOperand& operand, int64_t k) : operand_(operand), k_(k) {
  const Format& f = *operand.format;
  if (f.precision() > kMostBits || f.specials == Specials::kBits)
    throw std::invalid_argument("exact_dot: expected a format of at most 11 bits of precision, got " + std::string(f.name));
  if (f.bytes() == 1)
    for (uint32_t code = 0; code <= std::numeric_limits<uint8_t>::max(); ++code) table_.push_back(assay::decode(f, code));
  for (double x : table_) exponent_table_.push_back(exponent_of(f, x));
  smallest_normal_ = power_of_two(is_floating(f) ? f.min_exponent() : f.mantissa_bits);  // for integers, quantum() is 1
  last_place_ = power_of_two(-f.mantissa_bits);
  const DotScales& grid = operand.scales;
  if (!grid.codes || k == 0) return;  // if k is 0, no block has a scale
  if (grid.format->precision() > kMostScaleBits || grid.rows_per_scale < 1 || grid.k_per_scale < 1)
    throw std::invalid_argument(
        "exact_dot: expected scales of at most 24 bits of precision that each cover at least one row and one element along k");
  scales_per_row_ = ceil_div(k, grid.k_per_scale);
  scales_change_ = scales_per_row_ > 1;
  const int64_t scale_rows = ceil_div(operand.rows, grid.rows_per_scale);
  scales_.resize(size_t(scale_rows * scales_per_row_));
  for (int64_t row = 0; row < scale_rows; ++row) {
    const std::span<double> to(scales_.data() + row * scales_per_row_, size_t(scales_per_row_));
    decode_strided(*grid.format, grid.codes + row * grid.row_stride * grid.format->bytes(), grid.k_stride, to);
  }
  std::transform(scales_.begin(), scales_.end(), std::back_inserter(lowest_bits_), lowest_bit);
}

int64_t DecodedOperand::run_of_scale(int64_t k) const {
  if (!scales_change_) return k_ - k;
  return std::min(k_ - k, operand_.scales.k_per_scale - k % operand_.scales.k_per_scale);
}

void DecodedOperand::decode(int64_t row, int64_t first, std::span<double> values) const {
  const int64_t place = row * operand_.row_stride + first * operand_.k_stride;
  const std::byte* codes = operand_.codes + place * operand_.format->bytes();
  if (!table_.empty() && operand_.k_stride == 1) {
    __builtin_prefetch(codes + values.size());  // the row's next segment is read after this segment of other rows
    for (size_t i = 0; i < values.size(); ++i) values[i] = table_[std::to_integer<size_t>(codes[i])];
  } else if (operand_.k_stride == 1) {
    decode_all(*operand_.format, codes, values);
  } else {
    decode_strided(*operand_.format, codes, operand_.k_stride, values);
  }
}

void DecodedOperand::exponents(int64_t row, int64_t first, bool scaled, std::span<int16_t> exponents) const {
  if (const std::byte* codes = bytes(row, first)) {
    for (size_t i = 0; i < exponents.size(); ++i) exponents[i] = exponent_table_[std::to_integer<size_t>(codes[i])];
  } else {
    std::vector<double> values(exponents.size());
    decode(row, first, values);
    for (size_t i = 0; i < values.size(); ++i) exponents[i] = exponent_of(format(), values[i]);
  }
  if (!scaled || !scales_change_) return;
  for (int64_t i = 0, n = int64_t(exponents.size()), run; i < n; i += run) {
    run = std::min(n - i, run_of_scale(first + i));
    const double s = scale(row, first + i);
    const bool counts = std::isfinite(s) && s != 0;
    for (int64_t j = i; j < i + run; ++j) {
      int16_t& exponent = exponents[size_t(j)];
      exponent = counts && exponent != kNoDotExponent ? int16_t(exponent + std::ilogb(s)) : kNoDotExponent;
    }
  }
}

const std::byte* DecodedOperand::bytes(int64_t row, int64_t first) const {
  return !table_.empty() && operand_.k_stride == 1 ? operand_.codes + row * operand_.row_stride + first : nullptr;
}

bool DecodedOperand::has_small_exponents(bool scaled) const {
  if (scaled && scales_change_) return false;
  const Format& f = format();
  return (is_floating(f) ? -f.min_exponent() : 0) <= kMostSmallExponent && std::ilogb(largest_magnitude(f)) <= kMostSmallExponent;
}

bool DecodedOperand::any_nan(int64_t row, int64_t first, int64_t n) const {
  std::vector<double> values(static_cast<size_t>(n));
  decode(row, first, values);
  return std::any_of(values.begin(), values.end(), [](double x) { return std::isnan(x); });
}

void DecodedOperand::values(int64_t row, int64_t first, bool scaled, const DotKernels& kernels, std::span<double> values,
                            RowFacts& facts) const {
  decode(row, first, values);
  scaled = scaled && scales_change_;
  for (int64_t i = 0, n = int64_t(values.size()), run; i < n; i += run) {
    run = scaled ? std::min(n - i, run_of_scale(first + i)) : n;
    const size_t place = scale_place(row, first + i);
    const double s = scaled ? scales_[place] : 1, lowest = scaled ? lowest_bits_[place] : 1;
    const Extremes found = kernels.scale_all(std::isfinite(s) ? s : 0, values.data() + i, run);
    facts.special = facts.special || !found.all_finite || !std::isfinite(s);
    facts.nan = facts.nan || std::isnan(s) || (!found.all_finite && any_nan(row, first + i, run));
    facts.squares += found.squares;
    if (found.least < HUGE_VAL && lowest > 0)
      facts.step = std::min(facts.step, quantum(found.least, smallest_normal_, last_place_) * lowest);
  }
}

void DecodedOperand::add_scaled(int64_t row, int64_t first, bool scaled, const RowFacts& of_values, RowFacts& facts) const {
  const double s = scales_change_ && !scaled ? scale(row, first) : 1, lowest = lowest_bit(s);
  facts.special = facts.special || of_values.special || !std::isfinite(s);
  facts.nan = facts.nan || of_values.nan || std::isnan(s);
  if (lowest == 0) return;
  facts.squares += of_values.squares * s * s;
  facts.step = std::min(facts.step, of_values.step * lowest);
}

int64_t products_exact_in_double(const Format& a, const Format& b) {
  const double largest = largest_magnitude(a) * largest_magnitude(b);
  const int step = least_step_exponent(a) + least_step_exponent(b);
  return int64_t(std::min(std::ldexp(1.0, std::numeric_limits<double>::digits + step) / largest, 0x1p62));
}

}  // namespace assay
