#include "reference/dot/absolute_sum.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "reference/dot/panels.h"
#include "reference/formats/quantum.h"

namespace assay {
namespace {

/// Magnitudes of one operand as f32 parts of a power of two a row and depth.
class MagnitudePanels {
 public:
  MagnitudePanels(int width, int64_t rows, int64_t depth)
      : panels_(width, rows, depth, depth, 0.0f), of_rows_(size_t(padded(rows, width))), values_(size_t(depth)) {}

  void pack(const DecodedOperand& operand, int64_t first_row, int64_t first, int64_t k, const DotKernels& kernels) {
    panels_.pack(k, [&](int64_t i, int64_t, std::span<float> to) {
      RowFacts unused;
      const std::span<double> values(values_.data(), to.size());
      operand.values(first_row + i, first, true, kernels, values, unused);
      double largest = 0;
      for (double x : values) largest = std::max(largest, std::fabs(x));
      // A part lies below 1; powers of two stay normal doubles, for values lie far from the ends of double.
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

}  // namespace

std::vector<double> absolute_sums(const DotTask& task, const DotRange& part) {
  const DotKernels& kernels = task.kernels;
  const int64_t all = task.a.k(), height = kernels.magnitude_rows, width = kernels.magnitude_columns, depth = std::min(all, kDepth);
  MagnitudePanels a(height, part.rows, depth), b(width, part.columns, depth);
  const int64_t row_tiles = a.panels().count(), tiles_at_once = std::max<int64_t>(1, kRowsAtOnce / height);
  std::vector<double> tiled(size_t(padded(part.rows, height) * padded(part.columns, width)));
  for (int64_t first = 0; first < all; first += kDepth) {
    const int64_t k = std::min(kDepth, all - first);
    a.pack(task.a, part.first_row, first, k, kernels);
    b.pack(task.b, part.first_column, first, k, kernels);
    for (int64_t i = 0; i < row_tiles; i += tiles_at_once)
      kernels.add_magnitudes({.a = a.panels().tile(i),
                              .b = b.panels().tile(0),
                              .k = k,
                              .row_tiles = std::min(tiles_at_once, row_tiles - i),
                              .column_tiles = b.panels().count(),
                              .of_rows = a.of_rows(i * height),
                              .of_columns = b.of_rows(0),
                              .sums = tiled.data() + i * height * width,
                              .tiles_of_sums = row_tiles});
  }
  // One addition a depth rounded to nearest.
  const double upward = 1 + double(all / kDepth + 4) * std::numeric_limits<double>::epsilon();
  std::vector<double> sums(size_t(part.rows * part.columns));
  const RegisterTiles tiles{row_tiles, height, width};
  for (int64_t i = 0; i < part.rows; ++i) tiles.copy_row(tiled, i, {sums.data() + i * part.columns, size_t(part.columns)});
  for (double& sum : sums) sum *= upward;
  return sums;
}

}  // namespace assay
