#include "reference/dot/tile.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "reference/dot/absolute_sum.h"
#include "reference/dot/element.h"
#include "reference/recipe/lanes.h"

namespace assay {
namespace {

/// What the certificate needs of the rows of an operand, side by side.
struct TileRows {
  FactsOfRows facts;
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
      norms[i] = norm_of(facts[i], k);
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
        rows_(task.a, part.first_row, part.rows),
        columns_(task.b, part.first_column, part.columns),
        sums_(task.outputs.model ? chunk_sums(task, part, rows_.facts, columns_.facts)
                                 : plain_sums(task, part, rows_.facts, columns_.facts)),
        row_(size_t(part.columns)),
        elements_(task.a, task.b) {
    rows_.complete(task.a.k());
    columns_.complete(task.b.k());
  }

  void finish_row(int64_t i);
  void place_absolute_sums();

 private:
  ExactElement exact(int64_t i, size_t j) { return elements_.at(part_.first_row + i, part_.first_column + int64_t(j)); }
  /// Elements of rows with NaN or Inf are what IEEE 754 makes of them.
  void place_specials(int64_t i, std::span<double> value, std::span<double> error);
  /// Rounds both ends of what may be y; where they differ, y is computed exactly.
  void round(int64_t i, const Format& format, std::span<const double> value, std::span<const double> error, std::span<double> rounded);
  void place_bounds(int64_t i, std::span<const double> value);
  /// Until it is asked again.
  std::span<const double> numbers_of_row(const std::vector<double>& tiled, int64_t i) {
    sums_.tiles.copy_row(tiled, i, row_);
    return row_;
  }
  template <class T>
  std::span<T> row_of(std::span<T> output, int64_t i) const {
    const int64_t row = part_.first_row - task_.range.first_row + i, column = part_.first_column - task_.range.first_column;
    return output.subspan(size_t(row * task_.range.columns + column), size_t(part_.columns));
  }

  const DotTask& task_;
  const DotRange part_;
  TileRows rows_, columns_;
  TileSums sums_;
  std::vector<double> row_;
  ExactElements elements_;
};

void Tile::finish_row(int64_t i) {
  const auto n = size_t(part_.columns), row = size_t(i);
  std::vector<double> value(n), error(n);
  const RowCertificate certificate{.factor = rows_.factors[row],
                                   .norm = rows_.norms[row],
                                   .step = rows_.steps[row],
                                   .factors = columns_.factors.data(),
                                   .norms = columns_.norms.data(),
                                   .steps = columns_.steps.data(),
                                   .unit = sums_.error};
  task_.kernels.certify(certificate, numbers_of_row(sums_.totals, i).data(), value.data(), error.data(), part_.columns);
  place_specials(i, value, error);
  const DotOutputs& outputs = task_.outputs;
  for (const DotOutputs::Rounded& output : outputs.rounded) round(i, *output.format, value, error, row_of(output.values, i));
  if (outputs.model) place_bounds(i, value);
  if (!outputs.value.empty()) std::copy(value.begin(), value.end(), row_of(outputs.value, i).begin());
  if (!outputs.error.empty()) std::copy(error.begin(), error.end(), row_of(outputs.error, i).begin());
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

void Tile::place_bounds(int64_t i, std::span<const double> value) {
  // The bound of a chunk has some ten roundings, their sum one a chunk, of which there are at most k.
  const double upward = 1 + double(task_.a.k() + 16) * std::numeric_limits<double>::epsilon();
  const bool wants_bound = !task_.outputs.bound.empty(), wants_exponent = !task_.outputs.largest_exponent.empty();
  const std::span<const double> bounds = wants_bound ? numbers_of_row(sums_.bound, i) : std::span<const double>{};
  for (size_t j = 0; j < bounds.size(); ++j) {
    const double bound = bounds[j] * std::fabs(rows_.factors[size_t(i)] * columns_.factors[j]) * upward;
    row_of(task_.outputs.bound, i)[j] = std::isfinite(value[j]) ? bound : std::fabs(value[j]);
  }
  const std::span<const double> powers = wants_exponent ? numbers_of_row(sums_.power, i) : std::span<const double>{};
  for (size_t j = 0; j < powers.size(); ++j)
    row_of(task_.outputs.largest_exponent, i)[j] = powers[j] > 0 ? std::ilogb(powers[j]) : std::numeric_limits<int32_t>::min();
}

void Tile::place_absolute_sums() {
  absolute_sums(task_, part_, [&](int64_t i) { return row_of(task_.outputs.absolute_sum, i); });
}

}  // namespace

void compute_tile(const DotTask& task, const DotRange& part) {
  Tile tile(task, part);
  for (int64_t i = 0; i < part.rows; ++i) tile.finish_row(i);
  if (!task.outputs.absolute_sum.empty()) tile.place_absolute_sums();
}

}  // namespace assay
