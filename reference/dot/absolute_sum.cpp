// Sums of magnitudes along k, to which error bounds of a GEMM are proportional, and the panels of magnitudes that are added.
#include "reference/dot/dot_tile.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <vector>

#include "reference/dot/dot_operand.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"

namespace assay {

/// Magnitudes of one operand as f32 fractions of a power of two. Each row has one power of two for each kDepth elements along k.
class MagnitudePanels {
 public:
  MagnitudePanels(int64_t width, int64_t rows, int64_t depth)
      : panels_(int(width), rows, depth, depth, 0.0f), of_rows_(size_t(padded(rows, width))), values_(size_t(depth)) {}

  void pack(const DecodedOperand& operand, int64_t first_row, int64_t first, int64_t k, const DotKernels& kernels) {
    panels_.pack(k, [&](int64_t i, int64_t, std::span<float> to) {
      RowFacts unused;
      const std::span<double> values(values_.data(), to.size());
      operand.values(first_row + i, first, true, kernels, values, unused);
      double largest = 0;
      for (double x : values) largest = std::max(largest, std::fabs(x));
      // Fractions are below 1. The powers of two are normal doubles, because all values are far from the limits of double.
      const double power = largest > 0 ? quantum(largest, 0, 2) : 0;
      const double inverse = largest > 0 ? 1 / power : 0;
      for (size_t j = 0; j < to.size(); ++j) to[j] = float(std::fabs(values[j]) * inverse);
      const double factor = operand.factor(first_row + i);
      of_rows_[size_t(i)] = std::isfinite(factor) ? power * std::fabs(factor) : 0;
    });
  }
  const Panels<float>& panels() const { return panels_; }
  const double* of_rows(int64_t row) const { return of_rows_.data() + row; }

 private:
  Panels<float> panels_;
  std::vector<double> of_rows_, values_;
};

/// Magnitudes of one-byte codes as bf16. The scales of runs along k are f32 fractions of a power of two. Each row has one power
/// of two for each kDepth elements along k.
class PairPanels {
 public:
  PairPanels(const DecodedOperand& operand, int width, int64_t rows, int64_t depth, int64_t stretch)
      : operand_(operand),
        rows_(rows),
        padded_rows_(padded(rows, width)),
        stretch_(stretch),
        panels_(width, rows, (depth + 1) / 2, kSegment, 0u),
        scales_(size_t((depth + stretch - 1) / stretch * padded_rows_)),
        of_rows_(size_t(padded_rows_)) {
    // exact: one-byte codes have at most 8 significand bits
    for (double x : operand.values_of_bytes()) table_.push_back(std::isfinite(x) ? code_of(kBf16, std::fabs(x)) : 0u);
  }

  /// Whether this class can hold the operand: one-byte codes, and small exponents (kMostSmallExponent).
  static bool hold(const DecodedOperand& operand) { return operand.bytes(0, 0) && operand.has_small_exponents(false); }

  /// Returns false if scales differ so much that their products would exceed the range of f32 fractions.
  bool pack(int64_t first_row, int64_t first, int64_t k) {
    for (int64_t i = 0; i < rows_; ++i)
      if (!pack_scales(first_row + i, i, first, k)) return false;
    panels_.pack((k + 1) / 2, [&](int64_t i, int64_t j, std::span<uint32_t> to) {
      const std::byte* codes = operand_.bytes(first_row + i, first + 2 * j);
      for (size_t line = 0; line < 2 * to.size(); line += 64) __builtin_prefetch(codes + 2 * to.size() + line);
      const int64_t n = std::min(int64_t(to.size()), k / 2 - j);
      for (int64_t at = 0; at < n; ++at) to[size_t(at)] = bits(codes[2 * at]) | bits(codes[2 * at + 1]) << 16;
      if (n < int64_t(to.size())) to.back() = bits(codes[2 * n]);  // the last element if k is odd
    });
    return true;
  }
  const Panels<uint32_t>& panels() const { return panels_; }
  const float* scales(int64_t row) const { return scales_.data() + row; }
  const double* of_rows(int64_t row) const { return of_rows_.data() + row; }
  int64_t padded_rows() const { return padded_rows_; }

 private:
  uint32_t bits(std::byte code) const { return table_[std::to_integer<size_t>(code)]; }

  bool pack_scales(int64_t row, int64_t i, int64_t first, int64_t k) {
    const auto magnitude = [&](int64_t at) {
      const double s = operand_.scales_change_along_k() ? std::fabs(operand_.scale(row, first + at)) : 1;
      return std::isfinite(s) ? s : 0;
    };
    double largest = 0;
    for (int64_t at = 0; at < k; at += stretch_) largest = std::max(largest, magnitude(at));
    const double power = largest > 0 ? quantum(largest, 0, 2) : 0, factor = std::fabs(operand_.factor(row));
    of_rows_[size_t(i)] = std::isfinite(factor) ? power * factor : 0;
    for (int64_t at = 0; at < k; at += stretch_) {
      const double part = largest > 0 ? magnitude(at) / power : 0;
      if (part > 0 && part < kLeastPart) return false;
      scales_[size_t(at / stretch_ * padded_rows_ + i)] = float(part);  // exact: scales have at most 24 bits
    }
    return true;
  }

  /// The product of two fractions of this size, and of two codes of 2^-22, is still a normal f32.
  static constexpr double kLeastPart = 0x1p-40;

  const DecodedOperand& operand_;
  int64_t rows_, padded_rows_, stretch_;
  Panels<uint32_t> panels_;
  std::vector<float> scales_;  ///< [runs of k][padded_rows_]
  std::vector<double> of_rows_;
  std::vector<uint32_t> table_;
};

namespace {

/// Length of runs along k within which both operands have one scale each, wherever a panel begins.
int64_t stretch_of(const DotTask& task) {
  const auto of = [](const DecodedOperand& operand) { return operand.scales_change_along_k() ? operand.run_of_scale(0) : 0; };
  return std::gcd(kDepth, std::gcd(of(task.a), of(task.b)));
}

constexpr int64_t kLeastStretch = 16;

class AbsoluteSums {
 public:
  AbsoluteSums(const DotTask& task, const DotRange& part)
      : task_(task),
        part_(part),
        height_(task.kernels.magnitude_rows),
        width_(task.kernels.magnitude_columns),
        row_tiles_(ceil_div(part.rows, height_)),
        column_tiles_(ceil_div(part.columns, width_)),
        stretch_(stretch_of(task)),
        tiled_(size_t(row_tiles_ * height_ * column_tiles_ * width_)) {}

  void add_all() {
    const int64_t k = task_.a.k(), depth = std::min(k, kDepth);
    std::optional<PairPanels> a, b;
    if (task_.kernels.add_pairs && stretch_ >= kLeastStretch && PairPanels::hold(task_.a) && PairPanels::hold(task_.b)) {
      a.emplace(task_.a, int(height_), part_.rows, depth, stretch_);
      b.emplace(task_.b, int(width_), part_.columns, depth, stretch_);
    }
    std::optional<MagnitudePanels> wide_a, wide_b;
    for (int64_t first = 0; first < k; first += kDepth) {
      const int64_t n = std::min(kDepth, k - first);
      if (a && a->pack(part_.first_row, first, n) && b->pack(part_.first_column, first, n)) {
        add(*a, *b, n);
        continue;
      }
      if (!wide_a) wide_a.emplace(height_, part_.rows, depth), wide_b.emplace(width_, part_.columns, depth);
      wide_a->pack(task_.a, part_.first_row, first, n, task_.kernels);
      wide_b->pack(task_.b, part_.first_column, first, n, task_.kernels);
      add(*wide_a, *wide_b, n);
    }
  }

  void copy_row(int64_t i, std::span<double> row) const {
    RegisterTiles{row_tiles_, height_, width_}.copy_row(tiled_, i, row);
    // Each panel adds one rounding to nearest.
    const double upward = 1 + double(task_.a.k() / kDepth + 4) * std::numeric_limits<double>::epsilon();
    for (double& sum : row) sum *= upward;
  }

 private:
  int64_t tiles_at_once() const { return std::max<int64_t>(1, kRowsAtOnce / height_); }

  void add(const PairPanels& a, const PairPanels& b, int64_t k) {
    for (int64_t i = 0; i < row_tiles_; i += tiles_at_once())
      task_.kernels.add_pairs({.a = a.panels().tile(i),
                               .b = b.panels().tile(0),
                               .pairs = (k + 1) / 2,
                               .pairs_of_scale = stretch_ / 2,
                               .row_tiles = std::min(tiles_at_once(), row_tiles_ - i),
                               .column_tiles = column_tiles_,
                               .row_scales = a.scales(i * height_),
                               .column_scales = b.scales(0),
                               .row_scales_apart = a.padded_rows(),
                               .column_scales_apart = b.padded_rows(),
                               .of_rows = a.of_rows(i * height_),
                               .of_columns = b.of_rows(0),
                               .sums = tiled_.data() + i * height_ * width_,
                               .tiles_of_sums = row_tiles_});
  }
  void add(const MagnitudePanels& a, const MagnitudePanels& b, int64_t k) {
    for (int64_t i = 0; i < row_tiles_; i += tiles_at_once())
      task_.kernels.add_magnitudes({.a = a.panels().tile(i),
                                    .b = b.panels().tile(0),
                                    .k = k,
                                    .row_tiles = std::min(tiles_at_once(), row_tiles_ - i),
                                    .column_tiles = column_tiles_,
                                    .of_rows = a.of_rows(i * height_),
                                    .of_columns = b.of_rows(0),
                                    .sums = tiled_.data() + i * height_ * width_,
                                    .tiles_of_sums = row_tiles_});
  }

  const DotTask& task_;
  const DotRange& part_;
  const int64_t height_, width_, row_tiles_, column_tiles_, stretch_;
  std::vector<double> tiled_;
};

}  // namespace

void absolute_sums(const DotTask& task, const DotRange& part, const std::function<std::span<double>(int64_t row)>& to) {
  AbsoluteSums sums(task, part);
  sums.add_all();
  for (int64_t i = 0; i < part.rows; ++i) sums.copy_row(i, to(i));
}

}  // namespace assay
