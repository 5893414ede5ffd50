// Single elements of a GEMM in long integers, and tiles with error bounds.
#include "reference/dot/dot_tile.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "reference/exact/exact_sum.h"
#include "reference/recipe/lanes.h"

namespace assay {
namespace {

constexpr int kPrecision = std::numeric_limits<double>::digits;

/// Adds value * scale to the sum, exactly: the rounding error of the product is also a double, because both are far from the
/// limits of double.
void add_product(double value, double scale, ExactSum& sum) {
  const double product = value * scale;
  sum.add(product);
  sum.add(std::fma(value, scale, -product));
}

/// Rounds a number to a multiple of 2^(e - 52), where `shifter` is 1.5 * 2^e. While n numbers are below 2^(e - 1) / n in
/// magnitude, the sum of the rounded numbers is exact, and so is the remainder of each number.
double above(double shifter, double value) { return (shifter + value) - shifter; }

/// Adds scale times the block's sum of products to the sum. Two doubles, `high` and `low`, add the bits of all products that lie
/// at most about 80 bits below the largest product. Lower bits are added to `sum` one product at a time.
void add_block(std::span<const double> a, std::span<const double> b, double scale, ExactSum& sum) {
  double largest = 0;
  for (size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::fabs(a[i] * b[i]));
  if (largest == 0) return;
  const int headroom = std::ilogb(double(a.size())) + 2;
  const int first_exponent = std::ilogb(largest) + 2 + headroom, second_exponent = first_exponent - kPrecision + 1 + headroom;
  const double first = std::ldexp(1.5, first_exponent), second = std::ldexp(1.5, second_exponent);
  double high = 0, low = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double product = a[i] * b[i], upper = above(first, product), lower = product - upper, between = above(second, lower);
    high += upper;
    low += between;
    if (lower != between) add_product(lower - between, scale, sum);
  }
  add_product(high, scale, sum);
  add_product(low, scale, sum);
}

double plain_sum(std::span<const double> a, std::span<const double> b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

/// The sign of a block's exact sum: -1, 0, 1.
double sign_of_block(std::span<const double> a, std::span<const double> b) {
  ExactSum sum;
  add_block(a, b, 1, sum);
  const double low = sum.rounded_down(), high = sum.rounded_up();
  return high > 0 ? 1 : low < 0 ? -1 : 0;
}

}  // namespace

ExactElement ExactElements::at(int64_t row, int64_t column) {
  const auto size = size_t(a_.k());
  if (row != row_) row_values_.resize(size), a_.decode(row, 0, row_values_);
  if (column != column_) column_values_.resize(size), b_.decode(column, 0, column_values_);
  row_ = row;
  column_ = column;

  ExactSum sum;
  double special = 0;  // the sum of all terms that are NaN or Inf
  for (int64_t first = 0, run; first < a_.k(); first += run) {
    run = std::min(a_.run_of_scale(first), b_.run_of_scale(first));
    const std::span<const double> a(row_values_.data() + first, size_t(run)), b(column_values_.data() + first, size_t(run));
    // exact: 24 bits times 24 bits
    const double scale = a_.scale(row, first) * b_.scale(column, first), plain = plain_sum(a, b);
    if (!std::isfinite(plain)) {
      special += scale * plain;
    } else if (!std::isfinite(scale)) {
      special += scale * sign_of_block(a, b);
    } else if (scale != 0 && run <= exact_products_) {
      add_product(plain, scale, sum);
    } else if (scale != 0) {
      add_block(a, b, scale, sum);
    }
  }
  if (!std::isfinite(special)) return {special, special};
  return {sum.rounded_down(), sum.rounded_up()};
}

double nearest(const Format& format, const ExactElement& element) {
  double value = element.low;
  if (element.low != element.high) {
    // Rounds to odd: an odd last bit marks an inexact result, so that the next rounding acts as the only one (S. Boldo, G.
    // Melquiond, "Emulation of FMA and correctly rounded sums: proved algorithms using rounding to odd").
    int exponent;
    const double significand = std::ldexp(std::frexp(element.low, &exponent), kPrecision);
    value = std::fmod(significand, 2) == 0 ? element.high : element.low;
  }
  return round_to(format, value, Rounding::kNearestEven, Overflow::kSpecial);
}

namespace {

/// Facts about the rows of an operand from which error bounds are computed, in separate arrays.
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

  /// Call this after all of k was processed.
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
  /// Sets the elements of rows with NaN or Inf as IEEE 754 defines them.
  void place_specials(int64_t i, std::span<double> value, std::span<double> error);
  /// Rounds both ends of the interval that contains y. If the results differ, computes y exactly.
  void round(int64_t i, const Format& format, std::span<const double> value, std::span<const double> error,
             std::span<double> rounded);
  void place_bounds(int64_t i, std::span<const double> value);
  /// The result is valid until the next call.
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

void Tile::round(int64_t i, const Format& format, std::span<const double> value, std::span<const double> error,
                 std::span<double> rounded) {
  const Grid grid = grid_of(format, Overflow::kSpecial);
  std::vector<double> high(value.size());
  for (size_t j = 0; j < value.size(); ++j) rounded[j] = value[j] - error[j], high[j] = value[j] + error[j];
  lanes().round(grid, rounded.data(), value.size());
  lanes().round(grid, high.data(), value.size());
  for (size_t j = 0; j < value.size(); ++j)
    if (error[j] != 0 && (rounded[j] != high[j] || high[j] == 0)) rounded[j] = nearest(format, exact(i, j));
}

void Tile::place_bounds(int64_t i, std::span<const double> value) {
  // Each chunk's bound has about ten roundings; adding up the bounds of at most k chunks has at most k more.
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
