// One side of a tile whose k are added chunk by chunk, as a tensor core adds them.
#pragma once

#include <cmath>
#include <vector>

#include "reference/dot/panels.h"
#include "reference/dot/tile.h"

namespace assay {

/// A stretch of k: several whole chunks, or a part of one chunk.
struct Stretch {
  int64_t first, chunks, k;  ///< k: per chunk
  bool begins, ends;         ///< whether the stretch starts at the start of a chunk, and ends at its end
};

/// One side of a tile: its panels, and facts about its rows for the current chunks.
struct ChunkSide {
  /// One number per row; 0 for padding rows.
  struct OfChunk {
    FactsOfRows facts;
    std::vector<double> scales, errors, norms;
  };
  const DecodedOperand& operand;
  int64_t first_row;
  bool scaled;  ///< scales are multiplied into the values
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

  /// What sums of a chunk are yet to be multiplied by, and what it adds to the facts of the rows. Errors are `error` times scales, norms
  /// `part` of them.
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

}  // namespace assay
