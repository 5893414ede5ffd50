#include <algorithm>
#include <cmath>
#include <limits>

#include "reference/dot/panels.h"
#include "reference/dot/tile.h"

namespace assay {
namespace {

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();

/// Each product and each sum rounds once, and so does each addition of a depth's sum.
double error_of_sums(const DotTask& task) {
  const int64_t k = task.a.k();
  const bool plain = !task.a.scales_change_along_k() && !task.b.scales_change_along_k();
  if (plain && k <= products_exact_in_double(task.a.format(), task.b.format())) return 0;
  return error_of_roundings(double(std::min(k, kDepth) + 1 + (k + kDepth - 1) / kDepth));
}

}  // namespace

double norm_of(const RowFacts& row, int64_t k) { return std::sqrt(row.squares) * (1 + double(k + 4) * kEpsilon); }

double error_of_roundings(double roundings) {
  const double errors = roundings * (kEpsilon / 2);
  return errors / (1 - errors);
}

void RegisterTiles::copy_row(const std::vector<double>& tiled, int64_t i, std::span<double> row) const {
  for (int64_t j = 0, n = int64_t(row.size()); j < n; j += width)
    std::copy_n(tiled.data() + ((j / width * row_tiles + i / height) * height + i % height) * width, std::min(width, n - j),
                row.data() + j);
}

TileSums plain_sums(const DotTask& task, const DotRange& part, FactsOfRows& rows, FactsOfRows& columns) {
  const DotKernels& kernels = task.kernels;
  const int64_t all = task.a.k(), height = kernels.tile_rows, width = kernels.tile_columns, tiles_at_once = kRowsAtOnce / height;
  const int64_t depth = std::min(all, kDepth);
  Panels<double> a(kernels.tile_rows, part.rows, depth, kSegment, 0), b(kernels.tile_columns, part.columns, depth, kSegment, 0);
  std::vector<double> tiled(size_t(padded(part.rows, height) * padded(part.columns, width)));
  for (int64_t first = 0; first < all; first += kDepth) {
    const int64_t k = std::min(kDepth, all - first);
    a.pack(k, [&](int64_t i, int64_t j, std::span<double> to) {
      task.a.values(part.first_row + i, first + j, true, kernels, to, rows[size_t(i)]);
    });
    b.pack(k, [&](int64_t i, int64_t j, std::span<double> to) {
      task.b.values(part.first_column + i, first + j, true, kernels, to, columns[size_t(i)]);
    });
    for (int64_t i = 0; i < a.count(); i += tiles_at_once)
      kernels.add_products({.a = a.tile(i),
                            .b = b.tile(0),
                            .k = k,
                            .row_tiles = std::min(tiles_at_once, a.count() - i),
                            .column_tiles = b.count(),
                            .sums = tiled.data() + i * height * width,
                            .tiles_of_sums = a.count()});
  }
  return {{a.count(), height, width}, std::move(tiled), error_of_sums(task), {}, {}};
}

}  // namespace assay
