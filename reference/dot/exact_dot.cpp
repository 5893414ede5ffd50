// Exact GEMMs: splits a range into tiles, and bounds the errors of their sums.
#include "reference/dot/exact_dot.h"

#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "reference/dot/dot_operand.h"
#include "reference/dot/dot_tile.h"
#include "reference/table/parallel_loop.h"

namespace assay {
namespace {

constexpr int64_t kLargestTile = 2048;  ///< most rows, and most columns, of y that one task computes: 32 MiB of sums
constexpr int64_t kSmallestTile = 48;
constexpr int64_t kTasksPerThread = 3;

void require(bool holds, const char* what) {
  if (!holds) throw std::invalid_argument(what);
}

void check(const DecodedOperand& a, const DecodedOperand& b, const DotRange& r, const DotOutputs& outputs) {
  require(a.k() == b.k(), "exact_dot: expected the same k of a and b");
  require(r.first_row >= 0 && r.rows >= 0 && r.first_row + r.rows <= a.rows(), "exact_dot: the range has rows outside a");
  require(r.first_column >= 0 && r.columns >= 0 && r.first_column + r.columns <= b.rows(),
          "exact_dot: the range has columns outside b");
  const auto size = size_t(r.rows * r.columns);
  const auto fits = [&](std::span<double> array) { return array.empty() || array.size() == size; };
  require(fits(outputs.value) && fits(outputs.error) && fits(outputs.absolute_sum),
          "exact_dot: an output array must have the size of the range");
  require(fits(outputs.bound) && (outputs.largest_exponent.empty() || outputs.largest_exponent.size() == size),
          "exact_dot: an output array must have the size of the range");
  require(outputs.model || (outputs.bound.empty() && outputs.largest_exponent.empty()),
          "exact_dot: error bounds require a model of the tensor core");
  if (outputs.model)
    require(outputs.model->products_per_step > 0 && outputs.model->chunk >= 0 && outputs.model->fraction_bits > 0 &&
                outputs.model->result_bits > 0,
            "exact_dot: a tensor core model requires products_per_step, fraction_bits and result_bits > 0, and chunk >= 0");
  for (const DotOutputs::Rounded& output : outputs.rounded)
    require(output.format && output.values.size() == size, "exact_dot: an output array must have the size of the range");
}

/// The shape of a tile. Tiles are equal parts of the range, as large as possible while every thread still gets some of them.
DotRange tile_shape(const DotRange& range, const DotKernels& kernels) {
  const int64_t threads = oneapi::tbb::this_task_arena::max_concurrency(), wanted = threads == 1 ? 1 : kTasksPerThread * threads;
  int64_t side = kLargestTile;
  while (side > kSmallestTile && ceil_div(range.rows, side) * ceil_div(range.columns, side) < wanted) side = side * 3 / 4;
  const auto even = [&](int64_t n, int64_t multiple) { return padded(ceil_div(n, ceil_div(n, side)), multiple); };
  return {.rows = even(range.rows, kernels.tile_rows), .columns = even(range.columns, kernels.tile_columns)};
}

}  // namespace

void exact_dot(const DotProblem& problem, const DotRange& range, const DotOutputs& outputs, const DotKernels& kernels) {
  require(problem.a.format && problem.b.format && problem.k >= 0, "exact_dot: expected formats of a and b, and k >= 0");
  exact_dot(DecodedOperand(problem.a, problem.k), DecodedOperand(problem.b, problem.k), range, outputs, kernels);
}

void exact_dot(const DecodedOperand& a, const DecodedOperand& b, const DotRange& range, const DotOutputs& outputs,
               const DotKernels& kernels) {
  check(a, b, range, outputs);
  if (range.rows == 0 || range.columns == 0) return;
  const DotTask task{a, b, range, outputs, kernels};
  if (outputs.model && !outputs.model->scales_inside && a.k() > 0)
    for (const DecodedOperand* side : {&a, &b}) {
      const int64_t chunk = outputs.model->chunk == 0 ? a.k() : outputs.model->chunk;
      require(!side->scales_change_along_k() || side->run_of_scale(0) % chunk == 0,
              "exact_dot: the scale changes within a chunk of the tensor core, but one scale is applied to the sum of a chunk");
    }
  const DotRange shape = tile_shape(range, kernels);
  const int64_t across = ceil_div(range.columns, shape.columns), down = ceil_div(range.rows, shape.rows);
  const auto tile = [&](int64_t i) {
    const int64_t row = i / across * shape.rows, column = i % across * shape.columns;
    compute_tile(task, {.first_row = range.first_row + row,
                        .rows = std::min(shape.rows, range.rows - row),
                        .first_column = range.first_column + column,
                        .columns = std::min(shape.columns, range.columns - column)});
  };
  if (down * across == 1) return tile(0);
  parallel_loop(down * across, tile);
}

namespace {

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();

/// Error bound of a sum in double, relative to the sum of magnitudes: each product, each addition and each panel rounds once.
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

std::optional<AccumulatorModel> accumulator_model(const Unit& unit, int64_t chunk) {
  if (!unit.known() || unit.sum != ProductSum::kAligned || unit.join != AccumulatorJoin::kAligned || unit.group > 1)
    return std::nullopt;
  return AccumulatorModel{.products_per_step = unit.take,
                          .fraction_bits = unit.fraction_bits,
                          .result_bits = unit.result_bits,
                          .result_to_nearest = unit.rounding == ResultRounding::kNearestEven,
                          .chunk = chunk,
                          .scales_inside = unit.scale != nullptr};
}

}  // namespace assay
