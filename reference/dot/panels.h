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
      : width_(width),
        rows_(rows),
        stride_(depth + kApart),
        values_(size_t(padded(rows, width) * depth)),
        rows_of_panel_(size_t(width * stride_)) {}

  int64_t count() const { return padded(rows_, width_) / width_; }
  const double* tile(int64_t i) const { return values_.data() + i * width_ * k_; }

  /// Packs rows first_row .. of some k; if `finite`, what is not finite counts as 0.
  void pack(const DecodedOperand& operand, int64_t first_row, KRange k, bool finite) {
    k_ = k.size;
    for (int64_t panel = 0; panel < count(); ++panel) {
      const int64_t rows = std::min<int64_t>(width_, rows_ - panel * width_);
      for (int64_t i = 0; i < rows; ++i)
        operand.values(first_row + panel * width_ + i, k.first, finite, {rows_of_panel_.data() + i * stride_, size_t(k.size)});
      for (int64_t i = rows; i < width_; ++i) std::fill_n(rows_of_panel_.data() + i * stride_, k.size, 0.0);
      double* to = values_.data() + panel * width_ * k.size;
      for (int64_t j = 0; j < k.size; ++j)
        for (int64_t i = 0; i < width_; ++i) *to++ = rows_of_panel_[size_t(i * stride_ + j)];
    }
  }

 private:
  static constexpr int64_t kApart = 8;  ///< a cache line between rows, which would share their places in the first cache
  int64_t width_, rows_, stride_, k_ = 0;
  std::vector<double> values_, rows_of_panel_;
};

}  // namespace assay
