#include "reference/dot/exact_dot.h"

#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "reference/dot/element.h"
#include "reference/dot/panels.h"
#include "reference/recipe/lanes.h"

namespace assay {
namespace {

constexpr int64_t kLargestTile = 768;  ///< rows and columns of y that one task computes: 4.5 MiB of sums
constexpr int64_t kSmallestTile = 48;
constexpr int64_t kTasksPerThread = 3;
constexpr int64_t kDepth = 256;       ///< k that are packed at once
constexpr int64_t kRowsAtOnce = 192;  ///< rows whose panels stay in the second cache

void in_parallel(int64_t count, const auto& f) {
  oneapi::tbb::this_task_arena::isolate([&] { oneapi::tbb::parallel_for(int64_t{0}, count, f); });
}

/// Facts of a range of rows, side by side for the certificate.
struct Facts {
  std::vector<double> factors, norms, steps;
  std::vector<char> special, nan;

  Facts(const DecodedOperand& operand, int64_t first, int64_t rows) {
    const auto n = size_t(rows);
    factors.resize(n), norms.resize(n), steps.resize(n), special.resize(n), nan.resize(n);
    in_parallel(rows, [&](int64_t i) {
      const RowFacts row = operand.facts(first + i);
      const auto place = size_t(i);
      factors[place] = row.special ? 0 : operand.factor(first + i);
      norms[place] = row.norm, steps[place] = row.step, special[place] = row.special, nan[place] = row.nan;
    });
  }
};

/// The product of a range, which tasks compute tile by tile.
class Product {
 public:
  Product(const DotProblem& problem, const DotRange& range, const DotOutputs& outputs, const DotKernels& kernels)
      : range_(range),
        outputs_(outputs),
        kernels_(kernels),
        a_(problem.a, problem.k),
        b_(problem.b, problem.k),
        rows_(a_, range.first_row, range.rows),
        columns_(b_, range.first_column, range.columns) {
    const bool plain = !a_.scales_change_along_k() && !b_.scales_change_along_k();
    // Of each product and sum one rounding, of the sums of all depths one each.
    const double roundings = double(std::min(problem.k, kDepth) + 1 + (problem.k + kDepth - 1) / kDepth);
    const double u = std::numeric_limits<double>::epsilon() / 2;
    unit_ = plain && problem.k <= products_exact_in_double(a_.format(), b_.format()) ? 0 : roundings * u / (1 - roundings * u);
  }

  void tile(const DotRange& part) const;

 private:
  void sum_products(const DotRange& part, std::vector<double>& sums, int64_t stride) const;
  void finish_row(int64_t row, int64_t first_column, std::span<const double> sums, ExactElements& elements) const;
  /// Rounds both ends of what may be y; where they differ, or are no ends, y is computed exactly.
  void round_row(int64_t row, int64_t first_column, std::span<double> value, std::span<double> error, ExactElements& elements) const;

  const DotRange range_;
  const DotOutputs& outputs_;
  const DotKernels& kernels_;
  const DecodedOperand a_, b_;
  const Facts rows_, columns_;
  double unit_;
};

void Product::tile(const DotRange& part) const {
  const int64_t stride = padded(part.columns, kernels_.tile_columns);
  std::vector<double> sums(size_t(padded(part.rows, kernels_.tile_rows) * stride));
  sum_products(part, sums, stride);
  ExactElements elements(a_, b_);
  for (int64_t i = 0; i < part.rows; ++i)
    finish_row(part.first_row + i, part.first_column, {sums.data() + i * stride, size_t(part.columns)}, elements);
}

void Product::sum_products(const DotRange& part, std::vector<double>& sums, int64_t stride) const {
  Panels a(kernels_.tile_rows, part.rows, kDepth), b(kernels_.tile_columns, part.columns, kDepth);
  const auto has_special = [&](const Facts& facts, int64_t first, int64_t n) {
    return std::any_of(facts.special.begin() + first, facts.special.begin() + first + n, [](char s) { return s != 0; });
  };
  const bool special_a = has_special(rows_, part.first_row, part.rows), special_b = has_special(columns_, part.first_column, part.columns);
  for (int64_t first = 0; first < a_.k(); first += kDepth) {
    const int64_t k = std::min(kDepth, a_.k() - first);
    a.pack(a_, range_.first_row + part.first_row, {first, k}, special_a);
    b.pack(b_, range_.first_column + part.first_column, {first, k}, special_b);
    const int64_t tiles_at_once = kRowsAtOnce / kernels_.tile_rows;
    for (int64_t i = 0; i < a.count(); i += tiles_at_once)
      kernels_.add_products({.a = a.tile(i),
                             .b = b.tile(0),
                             .k = k,
                             .row_tiles = std::min(tiles_at_once, a.count() - i),
                             .column_tiles = b.count(),
                             .t = sums.data() + i * kernels_.tile_rows * stride,
                             .t_stride = stride});
  }
}

void Product::finish_row(int64_t row, int64_t first_column, std::span<const double> sums, ExactElements& elements) const {
  const auto i = size_t(row), j = size_t(first_column), n = sums.size();
  const RowCertificate certificate{.factor = rows_.factors[i],
                                   .norm = rows_.norms[i],
                                   .step = rows_.steps[i],
                                   .factors = columns_.factors.data() + j,
                                   .norms = columns_.norms.data() + j,
                                   .steps = columns_.steps.data() + j,
                                   .unit = unit_};
  std::vector<double> value(n), error(n);
  kernels_.certify(certificate, sums.data(), value.data(), error.data(), int64_t(n));
  for (size_t c = 0; c < n; ++c) {
    if (!rows_.special[i] && !columns_.special[j + c]) continue;
    const bool nan = rows_.nan[i] || columns_.nan[j + c];
    const ExactElement y = nan ? ExactElement{std::nan(""), std::nan("")}
                               : elements.at(range_.first_row + row, range_.first_column + first_column + int64_t(c));
    value[c] = y.low;
    error[c] = y.low == y.high || std::isnan(y.low) ? 0 : y.high - y.low;
  }
  round_row(row, first_column, value, error, elements);
  const int64_t place = row * range_.columns + first_column;
  if (!outputs_.value.empty()) std::copy(value.begin(), value.end(), outputs_.value.begin() + place);
  if (!outputs_.error.empty()) std::copy(error.begin(), error.end(), outputs_.error.begin() + place);
}

void Product::round_row(int64_t row, int64_t first_column, std::span<double> value, std::span<double> error,
                        ExactElements& elements) const {
  const size_t n = value.size();
  std::vector<double> low(n), high(n);
  for (const DotOutputs::Rounded& output : outputs_.rounded) {
    const Grid grid = grid_of(*output.format, Overflow::kSpecial);
    for (size_t c = 0; c < n; ++c) low[c] = value[c] - error[c], high[c] = value[c] + error[c];
    lanes().round(grid, low.data(), n);
    lanes().round(grid, high.data(), n);
    for (size_t c = 0; c < n; ++c) {
      if (error[c] == 0 || (low[c] == high[c] && low[c] != 0)) continue;
      const ExactElement y = elements.at(range_.first_row + row, range_.first_column + first_column + int64_t(c));
      low[c] = nearest(*output.format, y);
    }
    std::copy(low.begin(), low.end(), output.values.begin() + (row * range_.columns + first_column));
  }
}

void require(bool holds, const char* what) {
  if (!holds) throw std::invalid_argument(what);
}

void check(const DotProblem& p, const DotRange& r, const DotOutputs& outputs) {
  require(p.a.format && p.b.format && p.k >= 0, "an exact dot product needs two formats and a k of at least 0");
  require(r.first_row >= 0 && r.rows >= 0 && r.first_row + r.rows <= p.a.rows, "the rows of an exact dot product lie outside a");
  require(r.first_column >= 0 && r.columns >= 0 && r.first_column + r.columns <= p.b.rows,
          "the columns of an exact dot product lie outside b");
  const auto size = size_t(r.rows * r.columns);
  const auto fits = [&](std::span<double> array) { return array.empty() || array.size() == size; };
  require(fits(outputs.value) && fits(outputs.error), "an array for an exact dot product has not the size of the range");
  for (const DotOutputs::Rounded& output : outputs.rounded)
    require(output.format && output.values.size() == size, "an array for an exact dot product has not the size of the range");
}

/// Tiles as large as leave every thread some.
int64_t tile_side(const DotRange& range) {
  const int64_t wanted = kTasksPerThread * oneapi::tbb::this_task_arena::max_concurrency();
  int64_t side = kLargestTile;
  const auto tiles = [&] { return ((range.rows + side - 1) / side) * ((range.columns + side - 1) / side); };
  while (side > kSmallestTile && tiles() < wanted) side /= 2;
  return side;
}

}  // namespace

void exact_dot(const DotProblem& problem, const DotRange& range, const DotOutputs& outputs, const DotKernels& kernels) {
  check(problem, range, outputs);
  if (range.rows == 0 || range.columns == 0) return;
  const Product product(problem, range, outputs, kernels);
  const int64_t side = tile_side(range), across = (range.columns + side - 1) / side, down = (range.rows + side - 1) / side;
  in_parallel(down * across, [&](int64_t i) {
    const int64_t row = i / across * side, column = i % across * side;
    product.tile({row, std::min(side, range.rows - row), column, std::min(side, range.columns - column)});
  });
}

}  // namespace assay
