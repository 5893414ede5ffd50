// Sums that add k chunk by chunk, as a tensor core does: panels of a tile, exponents of products, sums and error bounds.
#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <variant>
#include <vector>

#include "reference/dot/dot_operand.h"
#include "reference/dot/dot_tile.h"

namespace assay {

/// A run along k that is packed together: several whole chunks, or a part of one chunk.
struct Stretch {
  int64_t first, chunks, k;  ///< k: elements per chunk
  bool begins, ends;         ///< whether the stretch starts at the start of a chunk, and ends at its end
};

/// One operand of a tile: its panels, and facts about its rows in the chunks that are being added.
struct ChunkSide {
  /// Arrays with one number per row; 0 for padding rows.
  struct OfChunk {
    FactsOfRows facts;
    std::vector<double> scales, errors, norms;
  };
  const DecodedOperand& operand;
  int64_t first_row;
  bool scaled;  ///< true if scales are already multiplied into the values
  Panels<double> values;
  std::vector<OfChunk> chunks;

  ChunkSide(const DecodedOperand& of, int64_t first, int64_t rows, int width, int64_t depth, int64_t count, bool inside)
      : operand(of), first_row(first), scaled(inside), values(width, rows, depth, kSegment, 0) {
    const std::vector<double> none(size_t(padded(rows, width)));
    chunks.assign(size_t(count), {FactsOfRows(size_t(rows)), none, none, none});
  }

  void pack(const Stretch& s, const DotKernels& kernels) {
    values.pack(s.chunks * s.k, [&](int64_t i, int64_t j, std::span<double> to) {
      operand.values(first_row + i, s.first + j, scaled, kernels, to, chunks[size_t(j / s.k)].facts[size_t(i)]);
    });
  }

  /// Ends a chunk. Sets for each row: the scale by which its sums must still be multiplied, this scale's magnitude times `error`,
  /// and the norm times `part`. Merges the chunk's facts into the facts of the rows.
  void close(OfChunk& chunk, int64_t first, int64_t size, double error, double part, FactsOfRows& rows) {
    for (size_t i = 0; i < chunk.facts.size(); ++i) {
      const int64_t row = first_row + int64_t(i);
      const double scale = operand.scales_change_along_k() && !scaled ? operand.scale(row, first) : 1;
      chunk.scales[i] = std::isfinite(scale) ? scale : 0;
      chunk.errors[i] = std::fabs(chunk.scales[i]) * error;
      chunk.norms[i] = norm_of(chunk.facts[i], size) * part;
      operand.add_scaled(row, first, scaled, chunk.facts[i], rows[i]);
      chunk.facts[i] = {};
    }
  }
};

// The largest exponents of products, to which a tensor core aligns, for a tile of y.

/// Some rows and columns of a tile; rows are counted in register tiles.
struct PartOfTile {
  int64_t row_tile, row_tiles, column, columns;
};

struct ExponentsOfPart {
  int16_t* largest;  ///< [rows][stride]
  int64_t stride;
};

/// Panels of exponents of one operand. An Element is one exponent of type T or, for ExponentBlock::a, a word that repeats it.
template <class T, class Element>
class ExponentPanels {
 public:
  ExponentPanels(const DecodedOperand& operand, int width, int64_t rows, int64_t depth, bool scaled)
      : operand_(operand), scaled_(scaled), panels_(width, rows, depth, kSegment, copies(kNoDotExponent)), exponents_(kSegment) {
    if (!operand.bytes(0, 0) || (scaled && operand.scales_change_along_k())) return;
    for (int16_t exponent : operand.exponents_of_bytes()) table_.push_back(copies(exponent));
  }

  void pack(int64_t first_row, int64_t first, int64_t k) {
    if (!table_.empty())
      return panels_.pack_bytes(k, table_, [&](int64_t i, int64_t j) { return operand_.bytes(first_row + i, first + j); });
    panels_.pack(k, [&](int64_t i, int64_t j, std::span<Element> to) {
      operand_.exponents(first_row + i, first + j, scaled_, std::span(exponents_.data(), to.size()));
      std::transform(exponents_.begin(), exponents_.begin() + int64_t(to.size()), to.begin(), copies);
    });
  }
  const Element* tile(int64_t i, int64_t k) const { return panels_.tile(i, k); }

 private:
  static Element copies(int16_t exponent) {
    constexpr auto kOnes = uint32_t(sizeof(Element) == sizeof(T) ? 1 : sizeof(T) == 1 ? 0x01010101 : 0x00010001);
    const auto number = T(sizeof(T) == 1 && exponent == kNoDotExponent ? kNoSmallExponent : exponent);
    return Element(std::make_unsigned_t<T>(number) * kOnes);
  }

  const DecodedOperand& operand_;
  bool scaled_;
  Panels<Element> panels_;
  std::vector<int16_t> exponents_;
  std::vector<Element> table_;  ///< for all one-byte codes
};

/// The largest exponents of the products of chunks, with exponents of type T.
template <class T>
class ProductExponents {
 public:
  ProductExponents(const DotTask& task, const DotRange& part, int64_t depth)
      : kernels_(task.kernels),
        part_(part),
        a_(task.a, kernels_.tile_rows, part.rows, depth, task.outputs.model->scales_inside),
        b_(task.b, kernels_.exponent_columns, part.columns, depth, task.outputs.model->scales_inside) {}

  void pack(int64_t first, int64_t k) {
    a_.pack(part_.first_row, first, k);
    b_.pack(part_.first_column, first, k);
    depth_ = k;
  }
  /// Raises the largest exponents in `to` to the largest exponents of the products of one chunk.
  void raise(const Stretch& s, int64_t chunk, const PartOfTile& part, const ExponentsOfPart& to) {
    const int64_t width = kernels_.exponent_columns, k = chunk * s.k;
    const ExponentBlock<T> block{.a = a_.tile(part.row_tile, k),
                                 .b = b_.tile(part.column / width, k),
                                 .k = s.k,
                                 .depth = depth_,
                                 .row_tiles = part.row_tiles,
                                 .column_tiles = ceil_div(part.columns, width),
                                 .begins = s.begins,
                                 .largest = to.largest,
                                 .stride = to.stride};
    if constexpr (sizeof(T) == 1)
      kernels_.raise_small_exponents(block);
    else
      kernels_.raise_exponents(block);
  }

 private:
  const DotKernels& kernels_;
  const DotRange part_;
  ExponentPanels<T, int32_t> a_;
  ExponentPanels<T, T> b_;
  int64_t depth_ = 0;
};

using OfProducts = std::variant<ProductExponents<int8_t>, ProductExponents<int16_t>>;

inline OfProducts product_exponents(const DotTask& task, const DotRange& part, int64_t depth) {
  const bool scaled = task.outputs.model->scales_inside;
  if (task.a.has_small_exponents(scaled) && task.b.has_small_exponents(scaled))
    return ProductExponents<int8_t>(task, part, depth);
  return ProductExponents<int16_t>(task, part, depth);
}

namespace {

/// columns whose exponents are computed before any of their sums; a multiple of all panel widths
constexpr int64_t kColumnsAtOnce = 192;
constexpr int64_t kDepthOfChunks = 512;    ///< elements along k that are packed together if chunks are shorter
constexpr int64_t kNumbersAtOnce = 49152;  ///< elements of rows whose panels fit into the L2 cache

class Chunks {
 public:
  Chunks(const DotTask& task, const DotRange& part)
      : kernels_(task.kernels),
        model_(*task.outputs.model),
        part_(part),
        all_(task.a.k()),
        size_(model_.chunk == 0 ? all_ : std::min(model_.chunk, all_)),
        of_chunk_(std::min(size_, kDepthOfChunks < model_.products_per_step
                                      ? model_.products_per_step
                                      : kDepthOfChunks / model_.products_per_step * model_.products_per_step)),
        at_once_(whole() && size_ > 0 && size_ % kSegment == 0
                     ? std::clamp(kDepthOfChunks / size_, int64_t{1}, ceil_div(all_, size_))
                     : 1),
        a_(task.a, part.first_row, part.rows, kernels_.tile_rows, depth(), at_once_, model_.scales_inside),
        b_(task.b, part.first_column, part.columns, kernels_.tile_columns, depth(), at_once_, model_.scales_inside),
        of_products_(product_exponents(task, part, depth())),
        total_(size_t(padded(part.rows, kernels_.tile_rows) * padded(part.columns, kernels_.tile_columns))),
        bound_(total_.size()),
        power_(task.outputs.largest_exponent.empty() ? 0 : total_.size()) {
    if (!whole()) sums_.resize(total_.size()), most_.resize(total_.size());
    const int64_t rows = padded(part.rows, kernels_.tile_rows);
    stride_ = whole() ? kColumnsAtOnce : padded(part.columns, kColumnsAtOnce);
    exponents_.resize(size_t(stride_ * (whole() ? at_once_ * std::min(rows, row_tiles_at_once() * kernels_.tile_rows) : rows)));
    const int64_t count = size_ == 0 ? 0 : ceil_div(all_, size_);
    const bool scaled_before = model_.scales_inside && (task.a.scales_change_along_k() || task.b.scales_change_along_k());
    const bool exact = !scaled_before && size_ <= products_exact_in_double(task.a.format(), task.b.format());
    error_of_chunk_ = exact ? 0 : error_of_roundings(double(size_ + 1));
    // If there are several chunks, the sum of each is scaled and then added.
    const double roundings = (exact ? 0 : double(size_ + 1)) + (count > 1 ? double(count + 1) : 0);
    error_of_sums_ = error_of_roundings(roundings);
  }

  TileSums add(FactsOfRows& rows, FactsOfRows& columns) {
    for (int64_t first = 0; first < all_;) {
      const Stretch s = stretch(first);
      a_.pack(s, kernels_);
      b_.pack(s, kernels_);
      std::visit([&](auto& e) { e.pack(s.first, s.chunks * s.k); }, of_products_);
      if (s.ends) close(s, rows, columns);
      add_products(s);
      first += s.chunks * s.k;
    }
    const RegisterTiles tiles{a_.values.count(), kernels_.tile_rows, kernels_.tile_columns};
    return {tiles, std::move(total_), error_of_sums_, std::move(bound_), std::move(power_)};
  }

 private:
  bool whole() const { return of_chunk_ == size_; }  ///< true if chunks are packed whole
  int64_t depth() const { return at_once_ * of_chunk_; }
  int64_t row_tiles_at_once() const {
    return std::max<int64_t>(1, kNumbersAtOnce / (std::max<int64_t>(depth(), 1) * kernels_.tile_rows));
  }

  /// The run that is packed together from `first` on. A part of a chunk has whole steps of the tensor core, because its partial
  /// results matter after each step.
  Stretch stretch(int64_t first) const {
    const int64_t left = all_ - first, in_chunk = first % size_;
    if (whole()) return {first, std::clamp<int64_t>(left / size_, 1, at_once_), std::min(size_, left), true, true};
    const int64_t k = std::min({of_chunk_, size_ - in_chunk, left});
    return {first, 1, k, in_chunk == 0, k == left || in_chunk + k == size_};
  }

  /// Ends the chunks of a stretch: sets the data from which ChunkBlock computes error bounds. A tensor core's partial result
  /// may exceed the sum computed here, by both rounding errors. If of_unit >= 1, the alignment gives no bound for this result,
  /// and the rows' norms give it.
  void close(const Stretch& s, FactsOfRows& rows, FactsOfRows& columns) {
    for (int64_t i = 0; i < s.chunks; ++i) {
      const int64_t size = s.begins ? s.k : s.first % size_ + s.k, first = s.first + i * s.k;
      const double of_unit = error_of_unit(size), upward = 1 + 8 * std::numeric_limits<double>::epsilon();
      grown_ = of_unit < 1 ? upward / (1 - of_unit) : 0;
      a_.close(a_.chunks[size_t(i)], first, size, of_unit, (of_unit < 1 ? error_of_chunk_ * grown_ : 1) * upward, rows);
      b_.close(b_.chunks[size_t(i)], first, size, 1, 1, columns);
    }
  }
  /// Largest error of a tensor core's sum of `size` products, relative to the largest power of two to which it aligns.
  double error_of_unit(int64_t size) const {
    const int step = model_.products_per_step, result_bits = model_.result_bits + (model_.result_to_nearest ? 1 : 0);
    return double(ceil_div(size, step)) * (double(step + 1) * power_of_two(-model_.fraction_bits) + power_of_two(-result_bits));
  }

  /// For some rows and columns at a time, computes first the exponents, then the sums chunk by chunk. The data of this part then
  /// stay in the L2 cache.
  void add_products(const Stretch& s) {
    const int64_t width = kernels_.tile_columns, columns = b_.values.count() * width;
    PartOfTile part{0, 0, 0, 0};
    for (; part.row_tile < a_.values.count(); part.row_tile += part.row_tiles) {
      part.row_tiles = std::min(row_tiles_at_once(), a_.values.count() - part.row_tile);
      for (part.column = 0; part.column < columns; part.column += kColumnsAtOnce) {
        part.columns = std::min(kColumnsAtOnce, part_.columns - part.column);
        for (int64_t i = 0; i < s.chunks; ++i)
          std::visit([&](auto& e) { e.raise(s, i, part, exponents(i, part)); }, of_products_);
        for (int64_t column = part.column; column < part.column + part.columns; column += width)
          for (int64_t i = 0; i < s.chunks; ++i) add_chunk(s, i, part, column);
      }
    }
  }

  ExponentsOfPart exponents(int64_t chunk, const PartOfTile& part) {
    const int64_t rows = kernels_.tile_rows * (whole() ? chunk * part.row_tiles : part.row_tile);
    return {exponents_.data() + rows * stride_ + (whole() ? 0 : part.column), stride_};
  }

  void add_chunk(const Stretch& s, int64_t i, const PartOfTile& part, int64_t column) {
    const int64_t row = part.row_tile * kernels_.tile_rows, width = kernels_.tile_columns;
    const int64_t place = (column / width * a_.values.count() + part.row_tile) * kernels_.tile_rows * width;
    const ChunkSide::OfChunk &of_rows = a_.chunks[size_t(i)], &of_columns = b_.chunks[size_t(i)];
    const auto of_tiles = [&](std::vector<double>& numbers) { return numbers.empty() ? nullptr : numbers.data() + place; };
    kernels_.add_chunk({.a = a_.values.tile(part.row_tile, i * s.k),
                        .b = b_.values.tile(column / width, i * s.k),
                        .k = s.k,
                        .depth = s.chunks * s.k,
                        .row_tiles = part.row_tiles,
                        .step = model_.products_per_step,
                        .begins = s.begins,
                        .ends = s.ends,
                        .sums = of_tiles(sums_),
                        .most = of_tiles(most_),
                        .row_scales = of_rows.scales.data() + row,
                        .column_scales = of_columns.scales.data() + column,
                        .row_errors = of_rows.errors.data() + row,
                        .column_errors = of_columns.errors.data() + column,
                        .row_norms = of_rows.norms.data() + row,
                        .column_norms = of_columns.norms.data() + column,
                        .grown = grown_,
                        .exponents = exponents(i, part).largest + (column - part.column),
                        .stride = stride_,
                        .total = of_tiles(total_),
                        .bound = of_tiles(bound_),
                        .power = of_tiles(power_)});
  }

  const DotKernels& kernels_;
  const AccumulatorModel& model_;
  const DotRange part_;
  const int64_t all_, size_;  ///< elements along k, in total and per chunk
  const int64_t of_chunk_;    ///< elements of a chunk that are packed together: all, or a part
  const int64_t at_once_;     ///< number of chunks that are packed together
  ChunkSide a_, b_;
  OfProducts of_products_;
  std::vector<double> total_, bound_, power_;  ///< over all chunks, as in ChunkBlock
  std::vector<double> sums_, most_;            ///< ChunkBlock::sums and ChunkBlock::most, for a chunk packed in several parts
  /// rows of stride_ exponents: for the current rows and columns and each chunk, or for the whole tile and one chunk
  std::vector<int16_t> exponents_;
  int64_t stride_ = 0;
  double grown_ = 0, error_of_chunk_ = 0, error_of_sums_ = 0;
};

}  // namespace

TileSums chunk_sums(const DotTask& task, const DotRange& part, FactsOfRows& rows, FactsOfRows& columns) {
  return Chunks(task, part).add(rows, columns);
}

}  // namespace assay
