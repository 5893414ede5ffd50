// One tile of a GEMM: packed, summed in double, certified, rounded.
#pragma once

#include <vector>

#include "reference/dot/exact_dot.h"

namespace assay {

/// Data shared by the tiles of a product.
struct DotTask {
  const DecodedOperand& a;
  const DecodedOperand& b;
  const DotRange& range;  ///< the range of y with the outputs
  const DotOutputs& outputs;
  const DotKernels& kernels;
};

/// Computes the outputs for a part of the range.
void compute_tile(const DotTask& task, const DotRange& part);

/// Facts about the rows of an operand that a tile needs.
using FactsOfRows = std::vector<RowFacts>;

/// Numbers of a tile, contiguous per register tile: [column tiles][row_tiles][height][width].
struct RegisterTiles {
  int64_t row_tiles, height, width;

  void copy_row(const std::vector<double>& tiled, int64_t i, std::span<double> row) const;
};

/// Sums of a tile before multiplication by scales that are constant along a row or column.
struct TileSums {
  RegisterTiles tiles;
  std::vector<double> totals;
  double error = 0;                  ///< of a total, relative to the product of its norms; 0: totals are exact
  std::vector<double> bound, power;  ///< as in ChunkBlock; empty without a model, `power` also if it is not requested
};

/// Sums over all k, and facts about the rows of a and b.
TileSums plain_sums(const DotTask& task, const DotRange& part, FactsOfRows& rows, FactsOfRows& columns);

/// The same, chunk by chunk as a tensor core adds, with bounds on its error.
TileSums chunk_sums(const DotTask& task, const DotRange& part, FactsOfRows& rows, FactsOfRows& columns);

/// An upper bound of the norm of a row with k values: a sum of k squares has at most k + 2 roundings in any order, and the square
/// root one more.
double norm_of(const RowFacts& row, int64_t k);

/// Bound on the error of a sum with that many roundings, relative to the sum of magnitudes.
double error_of_roundings(double roundings);

constexpr int64_t kDepth = 256;       ///< k packed at a time
constexpr int64_t kSegment = 64;      ///< k transposed into panels at a time
constexpr int64_t kRowsAtOnce = 192;  ///< rows whose panels fit in the L2 cache

}  // namespace assay
