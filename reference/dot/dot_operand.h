// Operands of a GEMM as the exact sums read them: codes, scales, and panels of rows.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "reference/dot/dot_kernels.h"
#include "reference/formats/format.h"

namespace assay {

// Packs values of an operand in the order in which the inner loops read them.

constexpr int64_t ceil_div(int64_t n, int64_t size) { return (n + size - 1) / size; }
constexpr int64_t padded(int64_t n, int64_t multiple) { return ceil_div(n, multiple) * multiple; }

/// Rows of an operand, `width` rows per panel: [panels][k][width]. Rows of `nothing` pad the last panel. Rows are written and
/// transposed in segments along k, to stay in the L1 cache.
template <class T>
class Panels {
 public:
  Panels(int width, int64_t rows, int64_t depth, int64_t segment, T nothing)
      : width_(width),
        rows_(rows),
        segment_(segment),
        stride_(segment + kApart),
        values_(size_t(padded(rows, width) * depth)),
        rows_of_segment_(size_t(width * stride_), nothing),
        nothing_(nothing) {}

  int64_t width() const { return width_; }
  int64_t count() const { return ceil_div(rows_, width_); }
  /// The values of a panel from `k` on.
  const T* tile(int64_t i, int64_t k = 0) const { return values_.data() + (i * k_ + k) * width_; }

  /// fill(i, j, to) must write the values j .. j + to.size() - 1 of row i. i and j count from the first row and the first k of
  /// these panels.
  void pack(int64_t k, const auto& fill) {
    k_ = k;
    T* to = values_.data();
    for (int64_t panel = 0; panel < count(); ++panel) {
      const int64_t rows = std::min<int64_t>(width_, rows_ - panel * width_);
      for (int64_t i = rows; i < width_; ++i) std::fill_n(rows_of_segment_.begin() + i * stride_, segment_, nothing_);
      for (int64_t first = 0; first < k; first += segment_) {
        const int64_t n = std::min(segment_, k - first);
        for (int64_t i = 0; i < rows; ++i)
          fill(panel * width_ + i, first, std::span<T>(rows_of_segment_.data() + i * stride_, size_t(n)));
        for (int64_t j = 0; j < n; ++j)
          for (int64_t i = 0; i < width_; ++i) *to++ = rows_of_segment_[size_t(i * stride_ + j)];
      }
    }
  }
  /// pack() for one-byte codes: codes(i, j) points to the code of element j of row i; `table`: the values of all codes.
  void pack_bytes(int64_t k, const std::vector<T>& table, const auto& codes) {
    k_ = k;
    T* to = values_.data();
    for (int64_t panel = 0; panel < count(); ++panel, to += k * width_) {
      const int64_t rows = std::min<int64_t>(width_, rows_ - panel * width_);
      for (int64_t first = 0; first < k; first += segment_) {
        const int64_t n = std::min(segment_, k - first);
        for (int64_t i = 0; i < width_; ++i) {
          T* const place = to + first * width_ + i;
          const std::byte* const from = i < rows ? codes(panel * width_ + i, first) : nullptr;
          if (from) __builtin_prefetch(from + n);  // prefetch as in DecodedOperand::decode()
          for (int64_t j = 0; j < n; ++j) place[j * width_] = from ? table[std::to_integer<size_t>(from[j])] : nothing_;
        }
      }
    }
  }

 private:
  static constexpr int64_t kApart = 64 / int64_t(sizeof(T));  ///< one cache line of padding, so that rows do not map to the same
                                                              ///< sets of the L1 cache
  int64_t width_, rows_, segment_, stride_, k_ = 0;
  std::vector<T> values_, rows_of_segment_;
  T nothing_;
};

// One operand of a GEMM: codes and scales in memory, and their values in double.

/// Scales of an operand. The scale of (row, k) is element (row / rows_per_scale) * row_stride + (k / k_per_scale) * k_stride of
/// `codes`. One scale per tensor: {rows, k}; per row or column: {1, k}; blocks of 128: {1, 128}, {128, 128}; MX: {1, 32}. The
/// last block may be incomplete.
struct DotScales {
  const std::byte* codes = nullptr;  ///< nullptr: every scale is 1
  const Format* format = nullptr;    ///< e8m0, f32 or narrower
  int64_t rows_per_scale = 1, k_per_scale = 1;
  int64_t row_stride = 0, k_stride = 0;  ///< distances between scales in elements
};

/// A matrix [rows, k]: element (row, k) is at index row * row_stride + k * k_stride of `codes`.
struct DotOperand {
  const std::byte* codes = nullptr;
  const Format* format = nullptr;  ///< any 8-bit floating-point format, int8, f16, bf16: at most 11 bits of precision
  int64_t rows = 0;
  int64_t row_stride = 0, k_stride = 1;  ///< in elements
  DotScales scales;
};

/// Facts about the values of a row. NaN and Inf count as 0 in `squares` and `step`.
struct RowFacts {
  bool special = false;    ///< a code or a scale is NaN or Inf
  bool nan = false;        ///< a code or a scale is NaN; the whole row of the result is then NaN
  double squares = 0;      ///< sum of squares of the values, in double, in any order
  double step = HUGE_VAL;  ///< a power of two that divides every value
};

/// A decoded operand. A scale that is constant along a row is stored separately, as a factor of that row. Scales that change
/// along k are multiplied into the values. This is exact: 24 + 11 bits fit in a double, whose range suffices.
class DecodedOperand {
 public:
  /// Throws std::invalid_argument for a format, or for scales, whose products doubles cannot represent.
  DecodedOperand(const DotOperand& operand, int64_t k);

  const Format& format() const { return *operand_.format; }
  int64_t rows() const { return operand_.rows; }
  int64_t k() const { return k_; }
  bool scales_change_along_k() const { return scales_change_; }
  /// Number of elements from element k on that have the same scale as element k.
  int64_t run_of_scale(int64_t k) const;

  /// Values of codes without scales, including NaN and Inf, of columns first .. first + values.size() - 1 of a row.
  void decode(int64_t row, int64_t first, std::span<double> values) const;
  double scale(int64_t row, int64_t k) const { return scales_.empty() ? 1 : scales_[scale_place(row, k)]; }

  /// The scale of the whole row, or 1 if scales change along it.
  double factor(int64_t row) const { return scales_change_ ? 1 : scale(row, 0); }
  /// Exponents of values: at least the exponent of the format's smallest normal number; kNoDotExponent for zero, NaN and Inf.
  /// With `scaled`, exponents of scales that change along k are added.
  void exponents(int64_t row, int64_t first, bool scaled, std::span<int16_t> exponents) const;
  /// The codes in memory if they are contiguous and have one byte each, otherwise nullptr. The next two functions return values
  /// and exponents of all 256 codes.
  const std::byte* bytes(int64_t row, int64_t first) const;
  std::span<const double> values_of_bytes() const { return table_; }
  std::span<const int16_t> exponents_of_bytes() const { return exponent_table_; }
  /// Whether all exponents of the operand (`scaled` as above) are at most kMostSmallExponent in magnitude.
  bool has_small_exponents(bool scaled) const;
  /// Values, with zero for NaN and Inf. `scaled`: multiplied by scales that change along k. Also adds the facts about these
  /// values to `facts`.
  void values(int64_t row, int64_t first, bool scaled, const DotKernels& kernels, std::span<double> values,
              RowFacts& facts) const;
  /// Merges `of_values`, facts about values that begin at (row, first), into `facts`. `scaled`: the values contain their scales.
  /// Otherwise they must share one scale, which is applied to their facts.
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
  std::vector<double> lowest_bits_;              ///< value of the lowest set bit of each scale
  /// 2^min_exponent and 2^-mantissa_bits of the format, as quantum() takes them (formats/round.h)
  double smallest_normal_ = 1, last_place_ = 1;
  std::vector<double> table_;                    ///< values of all one-byte codes
  std::vector<int16_t> exponent_table_;
};

/// How many products of two formats can be added exactly in double, for any codes: 2^53 times the smallest product, divided by
/// the largest. 171,196 for e4m3fn, 149,130 for e4m3fnuz.
int64_t products_exact_in_double(const Format& a, const Format& b);

}  // namespace assay
