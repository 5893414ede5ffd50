#include "reference/dot/absolute_sum.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>

#include "reference/dot/magnitude_panels.h"

namespace assay {
namespace {

/// k that have one scale on both sides, wherever panels begin.
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
    // One addition a depth rounded to nearest.
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
