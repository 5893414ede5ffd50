#include "reference/dot/tile.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "reference/dot/element.h"
#include "reference/dot/panels.h"
#include "reference/recipe/lanes.h"

namespace assay {
namespace {

constexpr int64_t kDepth = 256;       ///< k that are packed at once
constexpr int64_t kRowsAtOnce = 192;  ///< rows whose panels stay in the second cache
constexpr double kEpsilon = std::numeric_limits<double>::epsilon();

/// Facts of the rows of an operand that a tile needs, side by side for the certificate.
struct TileRows {
  std::vector<RowFacts> facts;
  std::vector<double> factors, norms, steps;

  TileRows(const DecodedOperand& operand, int64_t first, int64_t n)
      : facts(size_t(n)), factors(size_t(n)), norms(size_t(n)), steps(size_t(n)) {
    for (size_t i = 0; i < facts.size(); ++i) {
      factors[i] = operand.factor(first + int64_t(i));
      facts[i].special = !std::isfinite(factors[i]);
      facts[i].nan = std::isnan(factors[i]);
    }
  }

  /// When all of k was looked at.
  void complete(int64_t k) {
    for (size_t i = 0; i < facts.size(); ++i) {
      // Any way to a sum of k squares has at most k + 2 roundings; the root rounds once more.
      norms[i] = std::sqrt(facts[i].squares) * (1 + double(k + 4) * kEpsilon);
      steps[i] = facts[i].step < HUGE_VAL ? facts[i].step : 0;
      if (facts[i].special) factors[i] = 0;
    }
  }
};

class Tile {
 public:
  Tile(const DotTask& task, const DotRange& part)
      : task_(task),
        part_(part),
        sums_(size_t(padded(part.rows, task.kernels.tile_rows) * padded(part.columns, task.kernels.tile_columns))),
        rows_(task.a, part.first_row, part.rows),
        columns_(task.b, part.first_column, part.columns),
        elements_(task.a, task.b) {}

  void sum_products();
  void finish_row(int64_t i);

 private:
  double unit() const;
  std::vector<double> row_of_sums(int64_t i) const;
  ExactElement exact(int64_t i, size_t j) { return elements_.at(part_.first_row + i, part_.first_column + int64_t(j)); }
  /// Elements of rows with NaN or Inf are what IEEE 754 makes of them.
  void place_specials(int64_t i, std::span<double> value, std::span<double> error);
  /// Rounds both ends of what may be y; where they differ, y is computed exactly.
  void round(int64_t i, const Format& format, std::span<const double> value, std::span<const double> error, std::span<double> rounded);
  std::span<double> row_of(std::span<double> output, int64_t i) const {
    const int64_t place =
        (part_.first_row - task_.range.first_row + i) * task_.range.columns + part_.first_column - task_.range.first_column;
    return output.subspan(size_t(place), size_t(part_.columns));
  }

  const DotTask& task_;
  const DotRange part_;
  std::vector<double> sums_;
  TileRows rows_, columns_;
  ExactElements elements_;
};

void Tile::sum_products() {
  const DotKernels& kernels = task_.kernels;
  const int64_t all = task_.a.k(), tiles_at_once = kRowsAtOnce / kernels.tile_rows;
  Panels a(kernels.tile_rows, part_.rows, std::min(all, kDepth)), b(kernels.tile_columns, part_.columns, std::min(all, kDepth));
  for (int64_t first = 0; first < all; first += kDepth) {
    const int64_t k = std::min(kDepth, all - first);
    a.pack(task_.a, part_.first_row, {first, k}, kernels, rows_.facts);
    b.pack(task_.b, part_.first_column, {first, k}, kernels, columns_.facts);
    for (int64_t i = 0; i < a.count(); i += tiles_at_once)
      kernels.add_products({.a = a.tile(i),
                            .b = b.tile(0),
                            .k = k,
                            .row_tiles = std::min(tiles_at_once, a.count() - i),
                            .column_tiles = b.count(),
                            .sums = sums_.data() + i * kernels.tile_rows * kernels.tile_columns,
                            .tiles_of_sums = a.count()});
  }
  rows_.complete(all);
  columns_.complete(all);
}

/// The error of a sum over the product of norms: each product, each sum and each addition of a depth's sum rounds once.
double Tile::unit() const {
  const int64_t k = task_.a.k();
  const bool plain = !task_.a.scales_change_along_k() && !task_.b.scales_change_along_k();
  if (plain && k <= products_exact_in_double(task_.a.format(), task_.b.format())) return 0;
  const double roundings = double(std::min(k, kDepth) + 1 + (k + kDepth - 1) / kDepth) * (kEpsilon / 2);
  return roundings / (1 - roundings);
}

std::vector<double> Tile::row_of_sums(int64_t i) const {
  const int64_t width = task_.kernels.tile_columns, height = task_.kernels.tile_rows;
  const int64_t row_tiles = padded(part_.rows, height) / height;
  std::vector<double> row(size_t(padded(part_.columns, width)));
  for (int64_t j = 0; j < int64_t(row.size()); j += width)
    std::copy_n(sums_.data() + ((j / width * row_tiles + i / height) * height + i % height) * width, width, row.data() + j);
  return row;
}

void Tile::finish_row(int64_t i) {
  const auto n = size_t(part_.columns), row = size_t(i);
  const std::vector<double> sums = row_of_sums(i);
  std::vector<double> value(n), error(n);
  const RowCertificate certificate{.factor = rows_.factors[row],
                                   .norm = rows_.norms[row],
                                   .step = rows_.steps[row],
                                   .factors = columns_.factors.data(),
                                   .norms = columns_.norms.data(),
                                   .steps = columns_.steps.data(),
                                   .unit = unit()};
  task_.kernels.certify(certificate, sums.data(), value.data(), error.data(), part_.columns);
  place_specials(i, value, error);
  for (const DotOutputs::Rounded& output : task_.outputs.rounded) round(i, *output.format, value, error, row_of(output.values, i));
  if (!task_.outputs.value.empty()) std::copy(value.begin(), value.end(), row_of(task_.outputs.value, i).begin());
  if (!task_.outputs.error.empty()) std::copy(error.begin(), error.end(), row_of(task_.outputs.error, i).begin());
}

void Tile::place_specials(int64_t i, std::span<double> value, std::span<double> error) {
  const RowFacts& row = rows_.facts[size_t(i)];
  for (size_t j = 0; j < value.size(); ++j) {
    const RowFacts& column = columns_.facts[j];
    if (!row.special && !column.special) continue;
    value[j] = row.nan || column.nan ? std::nan("") : exact(i, j).low;
    error[j] = 0;
  }
}

void Tile::round(int64_t i, const Format& format, std::span<const double> value, std::span<const double> error, std::span<double> rounded) {
  const Grid grid = grid_of(format, Overflow::kSpecial);
  std::vector<double> high(value.size());
  for (size_t j = 0; j < value.size(); ++j) rounded[j] = value[j] - error[j], high[j] = value[j] + error[j];
  lanes().round(grid, rounded.data(), value.size());
  lanes().round(grid, high.data(), value.size());
  for (size_t j = 0; j < value.size(); ++j)
    if (error[j] != 0 && (rounded[j] != high[j] || high[j] == 0)) rounded[j] = nearest(format, exact(i, j));
}

}  // namespace

void compute_tile(const DotTask& task, const DotRange& part) {
  Tile tile(task, part);
  tile.sum_products();
  for (int64_t i = 0; i < part.rows; ++i) tile.finish_row(i);
}

}  // namespace assay
