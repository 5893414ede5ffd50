// Packs numbers of an operand in the order in which the inner loops read them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace assay {

constexpr int64_t ceil_div(int64_t n, int64_t size) { return (n + size - 1) / size; }
constexpr int64_t padded(int64_t n, int64_t multiple) { return ceil_div(n, multiple) * multiple; }

/// Rows of an operand, `width` rows per panel: [panels][k][width]. The last panel is padded with rows of `nothing`. Rows are
/// filled and transposed one segment at a time, to stay in the L1 cache.
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
  /// The numbers of a panel from `k` on.
  const T* tile(int64_t i, int64_t k = 0) const { return values_.data() + (i * k_ + k) * width_; }

  /// fill(i, j, to) writes numbers j .. j + to.size() - 1 of row i; i and j are relative to the first row and k of these panels.
  void pack(int64_t k, const auto& fill) {
    k_ = k;
    T* to = values_.data();
    for (int64_t panel = 0; panel < count(); ++panel) {
      const int64_t rows = std::min<int64_t>(width_, rows_ - panel * width_);
      for (int64_t i = rows; i < width_; ++i) std::fill_n(rows_of_segment_.begin() + i * stride_, segment_, nothing_);
      for (int64_t first = 0; first < k; first += segment_) {
        const int64_t n = std::min(segment_, k - first);
        for (int64_t i = 0; i < rows; ++i) fill(panel * width_ + i, first, std::span<T>(rows_of_segment_.data() + i * stride_, size_t(n)));
        for (int64_t j = 0; j < n; ++j)
          for (int64_t i = 0; i < width_; ++i) *to++ = rows_of_segment_[size_t(i * stride_ + j)];
      }
    }
  }
  /// The same for one-byte codes: codes(i, j) points to the codes of row i from j on, and `table` has their values.
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
          if (from) __builtin_prefetch(from + n);  // as DecodedOperand::decode() does
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

}  // namespace assay
