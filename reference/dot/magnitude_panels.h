// Packs magnitudes of an operand for the loops of absolute sums.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "reference/dot/panels.h"
#include "reference/dot/tile.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/quantum.h"
#include "reference/formats/round.h"

namespace assay {

/// Magnitudes of one operand as f32 fractions of a power of two per row and depth.
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
      // A fraction is below 1. The powers of two are normal doubles, because values are far from the limits of double.
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

/// Magnitudes of one-byte codes as bf16, and the scales of stretches of k as f32 fractions of a power of two per row and depth.
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
    // at most 8 bits: exact
    for (double x : operand.values_of_bytes()) table_.push_back(std::isfinite(x) ? code_of(kBf16, std::fabs(x)) : 0u);
  }

  /// Whether the operand can be stored this way.
  static bool hold(const DecodedOperand& operand) { return operand.bytes(0, 0) && operand.has_small_exponents(false); }

  /// Returns false if scales differ so much that their products would leave the range of f32.
  bool pack(int64_t first_row, int64_t first, int64_t k) {
    for (int64_t i = 0; i < rows_; ++i)
      if (!pack_scales(first_row + i, i, first, k)) return false;
    panels_.pack((k + 1) / 2, [&](int64_t i, int64_t j, std::span<uint32_t> to) {
      const std::byte* codes = operand_.bytes(first_row + i, first + 2 * j);
      for (size_t line = 0; line < 2 * to.size(); line += 64) __builtin_prefetch(codes + 2 * to.size() + line);
      const int64_t n = std::min(int64_t(to.size()), k / 2 - j);
      for (int64_t at = 0; at < n; ++at) to[size_t(at)] = bits(codes[2 * at]) | bits(codes[2 * at + 1]) << 16;
      if (n < int64_t(to.size())) to.back() = bits(codes[2 * n]);  // the last one if k is odd
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
      scales_[size_t(at / stretch_ * padded_rows_ + i)] = float(part);  // 24 bits: exact
    }
    return true;
  }

  /// The product of two such fractions and two codes of 2^-22 is a normal f32.
  static constexpr double kLeastPart = 0x1p-40;

  const DecodedOperand& operand_;
  int64_t rows_, padded_rows_, stretch_;
  Panels<uint32_t> panels_;
  std::vector<float> scales_;  ///< [stretches][padded_rows_]
  std::vector<double> of_rows_;
  std::vector<uint32_t> table_;
};

}  // namespace assay
