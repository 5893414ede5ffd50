// One operand of a GEMM, with codes and scales as stored in memory, and its values in double.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "reference/dot/kernels.h"
#include "reference/formats/format.h"

namespace assay {

/// Scales of an operand: the scale of (row, k) is element (row / rows_per_scale) * row_stride + (k / k_per_scale) * k_stride of
/// `codes`. {rows_per_scale, k_per_scale} is {rows, k} for one scale per tensor, {1, k} per row or column, {1, 128} or {128, 128}
/// for blocks, {1, 32} for MX. The last block may be partial.
struct DotScales {
  const std::byte* codes = nullptr;  ///< nullptr: every scale is 1
  const Format* format = nullptr;    ///< e8m0, f32 or narrower
  int64_t rows_per_scale = 1, k_per_scale = 1;
  int64_t row_stride = 0, k_stride = 0;  ///< in elements, from one scale to the next
};

/// A matrix [rows, k]: element (row, k) is at index row * row_stride + k * k_stride of `codes`.
struct DotOperand {
  const std::byte* codes = nullptr;
  const Format* format = nullptr;  ///< any 8-bit floating-point format, int8, f16, bf16: at most 11 bits of precision
  int64_t rows = 0;
  int64_t row_stride = 0, k_stride = 1;  ///< in elements
  DotScales scales;
};

/// Facts about the values of a row; NaN and Inf count as 0 in the numbers.
struct RowFacts {
  bool special = false;    ///< a code or a scale is NaN or Inf
  bool nan = false;        ///< one of them is NaN; then the whole row of the product is NaN
  double squares = 0;      ///< sum of squares, approximately
  double step = HUGE_VAL;  ///< a power of two of which every value is a multiple
};

/// A decoded operand. A scale that is constant along a row is kept separately, as its factor. Scales that change along k are
/// multiplied into the values, which is exact: 24 bits times 11, far from the limits of double.
class DecodedOperand {
 public:
  /// Throws std::invalid_argument for a format or scales whose products double cannot represent.
  DecodedOperand(const DotOperand& operand, int64_t k);

  const Format& format() const { return *operand_.format; }
  int64_t rows() const { return operand_.rows; }
  int64_t k() const { return k_; }
  bool scales_change_along_k() const { return scales_change_; }
  /// Number of k from `k` to the next scale or the end.
  int64_t run_of_scale(int64_t k) const;

  /// Unscaled values of codes, including NaN and Inf, for columns first .. first + values.size() - 1 of a row.
  void decode(int64_t row, int64_t first, std::span<double> values) const;
  double scale(int64_t row, int64_t k) const { return scales_.empty() ? 1 : scales_[scale_place(row, k)]; }

  /// The scale of the whole row, or 1 if scales change along it.
  double factor(int64_t row) const { return scales_change_ ? 1 : scale(row, 0); }
  /// Exponents of finite nonzero values, at least that of the format's least normal number; kNoDotExponent for others. With
  /// `scaled`, exponents of scales that change along k are added.
  void exponents(int64_t row, int64_t first, bool scaled, std::span<int16_t> exponents) const;
  /// The codes themselves if each is one byte and they are contiguous, otherwise nullptr; and below, values and exponents of all
  /// 256 codes.
  const std::byte* bytes(int64_t row, int64_t first) const;
  std::span<const double> values_of_bytes() const { return table_; }
  std::span<const int16_t> exponents_of_bytes() const { return exponent_table_; }
  /// Whether all these exponents lie within +-kMostSmallExponent.
  bool has_small_exponents(bool scaled) const;
  /// Values, with `scaled` including scales that change along k, and zero for NaN and Inf. Also collects facts about them.
  void values(int64_t row, int64_t first, bool scaled, const DotKernels& kernels, std::span<double> values, RowFacts& facts) const;
  /// Merges facts about values from (row, first) on into the facts of the row. Values that are not `scaled` yet share one scale,
  /// and are counted as if multiplied by it.
  void add_scaled(int64_t row, int64_t first, bool scaled, const RowFacts& of_values, RowFacts& facts) const;

 private:
  bool any_nan(int64_t row, int64_t first, int64_t n) const;
  size_t scale_place(int64_t row, int64_t k) const {
    return size_t(row / operand_.scales.rows_per_scale * scales_per_row_ + k / operand_.scales.k_per_scale);
  }
  DotOperand operand_;
  int64_t k_, scales_per_row_ = 1;
  bool scales_change_ = false;
  std::vector<double> scales_;                   ///< [ceil(rows / rows_per_scale), ceil(k / k_per_scale)]
  std::vector<double> lowest_bits_;              ///< of the scales
  double smallest_normal_ = 1, last_place_ = 1;  ///< of the format; its numbers are multiples of quantum() (formats/quantum.h)
  std::vector<double> table_;                    ///< values of all one-byte codes
  std::vector<int16_t> exponent_table_;
};

/// The number of products of two formats whose sum is exact in double for any codes: 2^53 steps over the largest product. 171,196
/// for e4m3fn, 149,130 for e4m3fnuz.
int64_t products_exact_in_double(const Format& a, const Format& b);

}  // namespace assay
