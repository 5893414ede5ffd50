#include <algorithm>
#include <cmath>
#include <limits>

#include "reference/dot/panels.h"
#include "reference/dot/tile.h"

namespace assay {
namespace {

/// A stretch of k that a unit adds without anything coming in between.
struct Chunk {
  int64_t first, size;
};

/// One side of a tile: its panels, and what is known of its rows in the chunk at hand.
struct ChunkSide {
  const DecodedOperand& operand;
  int64_t first_row;
  Panels<double> values;
  Panels<int16_t> exponents;
  FactsOfRows facts;
  std::vector<double> scales, norms;  ///< of rows, and 0 of those beyond the last

  ChunkSide(const DecodedOperand& of, int64_t first, int64_t rows, int width, int exponents_width, int64_t depth)
      : operand(of),
        first_row(first),
        values(width, rows, depth, kSegment, 0),
        exponents(exponents_width, rows, depth, kSegment, kNoDotExponent),
        facts(size_t(rows)),
        scales(size_t(padded(rows, width))),
        norms(scales.size()) {}

  void pack(int64_t first, int64_t k, bool scaled, const DotKernels& kernels) {
    values.pack(k, [&](int64_t i, int64_t j, std::span<double> to) {
      operand.values(first_row + i, first + j, scaled, kernels, to, facts[size_t(i)]);
    });
    exponents.pack(k, [&](int64_t i, int64_t j, std::span<int16_t> to) { operand.exponents(first_row + i, first + j, scaled, to); });
  }

  /// What the chunk's sums are yet to be multiplied by, and what it adds to the facts of the rows.
  void close(const Chunk& chunk, bool scaled, FactsOfRows& rows) {
    for (size_t i = 0; i < facts.size(); ++i) {
      const int64_t row = first_row + int64_t(i);
      const double scale = operand.scales_change_along_k() && !scaled ? operand.scale(row, chunk.first) : 1;
      scales[i] = std::isfinite(scale) ? scale : 0;
      norms[i] = norm_of(facts[i], chunk.size);
      operand.add_scaled(row, chunk.first, scaled, facts[i], rows[i]);
      facts[i] = {};
    }
  }
};

class Chunks {
 public:
  Chunks(const DotTask& task, const DotRange& part)
      : kernels_(task.kernels),
        model_(*task.outputs.model),
        part_(part),
        all_(task.a.k()),
        size_(model_.chunk == 0 ? all_ : std::min(model_.chunk, all_)),
        depth_(std::min(size_, std::max<int64_t>(model_.products_per_step, kDepth / model_.products_per_step * model_.products_per_step))),
        a_(task.a, part.first_row, part.rows, kernels_.tile_rows, kernels_.exponent_rows, depth_),
        b_(task.b, part.first_column, part.columns, kernels_.tile_columns, kernels_.exponent_columns, depth_),
        tiled_(size_t(padded(part.rows, kernels_.tile_rows) * padded(part.columns, kernels_.tile_columns))),
        largest_(tiled_.size()),
        total_(tiled_.size()),
        bound_(tiled_.size()),
        power_(tiled_.size()),
        stride_(std::max(padded(part.columns, kernels_.exponent_columns), padded(part.columns, kernels_.tile_columns))),
        exponents_(size_t(std::max(padded(part.rows, kernels_.exponent_rows), padded(part.rows, kernels_.tile_rows)) * stride_)) {
    const int64_t count = size_ == 0 ? 0 : (all_ + size_ - 1) / size_;
    const bool scaled_before = model_.scales_inside && (task.a.scales_change_along_k() || task.b.scales_change_along_k());
    const bool exact = !scaled_before && size_ <= products_exact_in_double(task.a.format(), task.b.format());
    error_of_chunk_ = exact ? 0 : error_of_roundings(double(size_ + 1));
    // Of several chunks each is scaled and added.
    const double roundings = (exact ? 0 : double(size_ + 1)) + (count > 1 ? double(count + 1) : 0);
    error_of_sums_ = error_of_roundings(roundings);
  }

  TileSums add(FactsOfRows& rows, FactsOfRows& columns) {
    for (int64_t first = 0; first < all_; first += size_) {
      const Chunk chunk{first, std::min(size_, all_ - first)};
      add_products(chunk);
      a_.close(chunk, model_.scales_inside, rows);
      b_.close(chunk, model_.scales_inside, columns);
      close(chunk);
    }
    return {in_rows(total_), error_of_sums_, in_rows(bound_), in_rows(power_)};
  }

 private:
  /// Whole steps are packed at once, so that partial results are seen where the unit has them.
  void add_products(const Chunk& chunk) {
    std::fill(tiled_.begin(), tiled_.end(), 0);
    std::fill(largest_.begin(), largest_.end(), 0);
    std::fill(exponents_.begin(), exponents_.end(), std::numeric_limits<int16_t>::min());
    for (int64_t at = 0; at < chunk.size; at += depth_) {
      const int64_t k = std::min(depth_, chunk.size - at);
      a_.pack(chunk.first + at, k, model_.scales_inside, kernels_);
      b_.pack(chunk.first + at, k, model_.scales_inside, kernels_);
      kernels_.add_products_in_steps({.a = a_.values.tile(0),
                                      .b = b_.values.tile(0),
                                      .k = k,
                                      .row_tiles = a_.values.count(),
                                      .column_tiles = b_.values.count(),
                                      .sums = tiled_.data(),
                                      .tiles_of_sums = a_.values.count()},
                                     model_.products_per_step, largest_.data());
      kernels_.raise_exponents({.a = a_.exponents.tile(0),
                                .b = b_.exponents.tile(0),
                                .k = k,
                                .row_tiles = a_.exponents.count(),
                                .column_tiles = b_.exponents.count(),
                                .largest = exponents_.data(),
                                .stride = stride_});
    }
  }

  void close(const Chunk& chunk) {
    const int step = model_.products_per_step, result_bits = model_.result_bits + (model_.result_to_nearest ? 1 : 0);
    const double steps = double((chunk.size + step - 1) / step);
    const double of_step = double(step + 1) * power_of_two(-model_.fraction_bits) + power_of_two(-result_bits);
    kernels_.close_chunk({.row_tiles = a_.values.count(),
                          .column_tiles = b_.values.count(),
                          .row_scales = a_.scales.data(),
                          .column_scales = b_.scales.data(),
                          .row_norms = a_.norms.data(),
                          .column_norms = b_.norms.data(),
                          .sums = tiled_.data(),
                          .largest = largest_.data(),
                          .exponents = exponents_.data(),
                          .stride = stride_,
                          .of_sums = error_of_chunk_,
                          .of_unit = steps * of_step,
                          .total = total_.data(),
                          .bound = bound_.data(),
                          .power = power_.data()});
  }

  std::vector<double> in_rows(const std::vector<double>& tiled) const {
    const RegisterTiles tiles{a_.values.count(), kernels_.tile_rows, kernels_.tile_columns};
    std::vector<double> rows(size_t(part_.rows * part_.columns));
    for (int64_t i = 0; i < part_.rows; ++i) tiles.copy_row(tiled, i, {rows.data() + i * part_.columns, size_t(part_.columns)});
    return rows;
  }

  const DotKernels& kernels_;
  const AccumulatorModel& model_;
  const DotRange part_;
  const int64_t all_, size_, depth_;
  ChunkSide a_, b_;
  std::vector<double> tiled_, largest_;       ///< of a chunk, in register tiles
  std::vector<double> total_, bound_, power_;  ///< of all chunks, as in ChunkTiles
  const int64_t stride_;
  std::vector<int16_t> exponents_;  ///< [rows][stride_]
  double error_of_chunk_ = 0, error_of_sums_ = 0;
};

}  // namespace

TileSums chunk_sums(const DotTask& task, const DotRange& part, FactsOfRows& rows, FactsOfRows& columns) {
  return Chunks(task, part).add(rows, columns);
}

}  // namespace assay
