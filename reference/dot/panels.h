// Values of an operand in the order in which the inner loops read them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "reference/dot/operand.h"

namespace assay {

constexpr int64_t padded(int64_t n, int64_t multiple) { return (n + multiple - 1) / multiple * multiple; }

struct KRange {
  int64_t first, size;
};

/// Rows of an operand, `width` of them to a panel: [panels][k][width], with rows of zeros at the end of the last panel.
class Panels {
 public:
  Panels(int width, int64_t rows, int64_t depth)
      : width_(width), rows_(rows), values_(size_t(padded(rows, width) * depth)), segment_(size_t(width * kStride)) {}

  int64_t count() const { return padded(rows_, width_) / width_; }
  const double* tile(int64_t i) const { return values_.data() + i * width_ * k_; }

  /// Packs rows first_row .. of some k, and adds to what is known of each row.
  void pack(const DecodedOperand& operand, int64_t first_row, KRange k, const DotKernels& kernels, std::span<RowFacts> facts) {
    k_ = k.size;
    for (int64_t panel = 0; panel < count(); ++panel) {
      const int64_t rows = std::min<int64_t>(width_, rows_ - panel * width_);
      double* to = values_.data() + panel * width_ * k.size;
      for (int64_t first = 0; first < k.size; first += kSegment) {
        const int64_t n = std::min(kSegment, k.size - first);
        for (int64_t i = 0; i < rows; ++i)
          operand.values(first_row + panel * width_ + i, k.first + first, kernels, {segment_.data() + i * kStride, size_t(n)},
                         facts[size_t(panel * width_ + i)]);
        for (int64_t j = 0; j < n; ++j)
          for (int64_t i = 0; i < width_; ++i) *to++ = segment_[size_t(i * kStride + j)];
      }
    }
  }

 private:
  static constexpr int64_t kSegment = 64, kStride = kSegment + 8;  ///< rows a cache line apart do not share their places in the first cache
  int64_t width_, rows_, k_ = 0;
  std::vector<double> values_;
  std::vector<double> segment_;  ///< [width][kStride]; rows that an operand does not have stay zeros
};

}  // namespace assay
