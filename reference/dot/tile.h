// One tile of a GEMM: packed, summed in double, certified, rounded.
#pragma once

#include <vector>

#include "reference/dot/exact_dot.h"

namespace assay {

/// What the tiles of a product share.
struct DotTask {
  const DecodedOperand& a;
  const DecodedOperand& b;
  const DotRange& range;  ///< that the outputs are of
  const DotOutputs& outputs;
  const DotKernels& kernels;
};

/// Computes the outputs of a part of the range: rows and columns of y.
void compute_tile(const DotTask& task, const DotRange& part);

/// What is known of the rows of an operand that a tile needs.
using FactsOfRows = std::vector<RowFacts>;

/// Numbers of a tile of which those of a register tile lie together: [column tiles][row_tiles][height][width].
struct RegisterTiles {
  int64_t row_tiles, height, width;

  void copy_row(const std::vector<double>& tiled, int64_t i, std::span<double> row) const;
};

/// Sums of a tile before the scales that are the same along a row or column.
struct TileSums {
  RegisterTiles tiles;
  std::vector<double> totals;
  double error = 0;                  ///< of a total over the product of its norms; 0: totals are exact
  std::vector<double> bound, power;  ///< as in ChunkBlock; empty without a model, powers also where none are wanted
};

/// Sums of all k, and facts of the rows of a and b.
TileSums plain_sums(const DotTask& task, const DotRange& part, FactsOfRows& rows, FactsOfRows& columns);

/// The same, chunk by chunk as a tensor core adds, with the bounds of its error.
TileSums chunk_sums(const DotTask& task, const DotRange& part, FactsOfRows& rows, FactsOfRows& columns);

/// At least the norm of a row of which k values were looked at: any way to a sum of k squares has at most k + 2 roundings, the root one
/// more.
double norm_of(const RowFacts& row, int64_t k);

/// Bound of the error of a sum with that many roundings on the way to it, over the sum of magnitudes.
double error_of_roundings(double roundings);

constexpr int64_t kDepth = 256;       ///< k that are packed at once
constexpr int64_t kSegment = 64;      ///< k that are turned into panels at once
constexpr int64_t kRowsAtOnce = 192;  ///< rows whose panels stay in the second cache

}  // namespace assay
