// A tile of a GEMM: its sums with error bounds, single elements without rounding, and sums of absolute products.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "reference/dot/dot_operand.h"
#include "reference/dot/exact_dot.h"
#include "reference/formats/round.h"

namespace assay {

// One tile of a GEMM: its operands are packed, summed in double with an error bound, and rounded.

/// Data that all tiles of a GEMM share.
struct DotTask {
  const DecodedOperand& a;
  const DecodedOperand& b;
  const DotRange& range;  ///< the range of y to compute, and its outputs
  const DotOutputs& outputs;
  const DotKernels& kernels;
};

/// Computes the outputs for a part of the range of y.
void compute_tile(const DotTask& task, const DotRange& part);

/// Facts about the rows of an operand in a tile.
using FactsOfRows = std::vector<RowFacts>;

/// Layout of numbers of a tile, contiguous per register tile: [column tiles][row_tiles][height][width].
struct RegisterTiles {
  int64_t row_tiles, height, width;

  void copy_row(const std::vector<double>& tiled, int64_t i, std::span<double> row) const;
};

/// Sums of a tile, not yet multiplied by scales that are constant along k (DecodedOperand::factor).
struct TileSums {
  RegisterTiles tiles;
  std::vector<double> totals;
  double error = 0;                  ///< error bound of a total, divided by the product of both rows' norms; 0: exact
  std::vector<double> bound, power;  ///< as in ChunkBlock; empty without a model, `power` also if it is not requested
};

/// Sums over all k, and facts about the rows of a and b.
TileSums plain_sums(const DotTask& task, const DotRange& part, FactsOfRows& rows, FactsOfRows& columns);

/// As plain_sums(), but adds k chunk by chunk, as a tensor core does, and bounds the tensor core's error.
TileSums chunk_sums(const DotTask& task, const DotRange& part, FactsOfRows& rows, FactsOfRows& columns);

/// An upper bound of the norm of a row with k values: a sum of k squares passes at most k + 2 roundings in any order, and the
/// square root adds one.
double norm_of(const RowFacts& row, int64_t k);

/// The largest error of a sum that passes that many roundings, relative to the sum of magnitudes.
double error_of_roundings(double roundings);

constexpr int64_t kDepth = 256;       ///< elements along k that are packed at a time
constexpr int64_t kSegment = 64;      ///< elements along k that are transposed into panels at a time
constexpr int64_t kRowsAtOnce = 192;  ///< rows whose panels fit in the L2 cache

// One exact element of a GEMM of scaled codes: exact sums of blocks, scaled and added in long integers.

/// A real number, given by the nearest doubles below and above it. If the number is a double, both are equal to it. NaN and Inf
/// are stored in both.
struct ExactElement {
  double low, high;
};

/// y[row, column] = sum over blocks of (scale_a * scale_b) * (sum of a * b in the block). A block is the range of k that shares
/// both scales.
///
/// Error: none. Returns the doubles just below and above the exact sum.
/// Special values follow IEEE 754. NaN if a code or a scale is NaN; if Inf is multiplied by 0 (two codes at one k, a scale and
/// its block's sum, or two scales); or if Inf and -Inf are added. Otherwise Inf if there is an Inf. An exact sum of zero is
/// +0.
/// Sources: for the sum of a block, S. M. Rump, T. Ogita, S. Oishi, "Accurate floating-point summation part I" (2008); for the
/// sum of all blocks, exact/exact_sum.h.
class ExactElements {
 public:
  ExactElements(const DecodedOperand& a, const DecodedOperand& b)
      : a_(a), b_(b), exact_products_(products_exact_in_double(a.format(), b.format())) {}
  ExactElement at(int64_t row, int64_t column);

 private:
  const DecodedOperand& a_;
  const DecodedOperand& b_;
  int64_t exact_products_;
  std::vector<double> row_values_, column_values_;
  int64_t row_ = -1, column_ = -1;  ///< row and column whose values are currently decoded
};

/// The exact number rounded once to nearest even, to a format of at most 51 bits. Overflow gives Inf, or NaN in a format without
/// Inf.
double nearest(const Format& format, const ExactElement& element);

// Sums of absolute products, to which error bounds are proportional. Computed in f32 and rounded upward.

/// sum over k of |a b| with all scales, for a range of y; to(i) returns the output for its row i. The result is at least this
/// sum S, and exceeds it by at most 2^-14 S. If all products of 256 consecutive k are tiny compared with P, the product of the
/// largest values of both rows, the result may exceed the sum by a further 2^-118 P. NaN and Inf count as 0.
void absolute_sums(const DotTask& task, const DotRange& part, const std::function<std::span<double>(int64_t row)>& to);

}  // namespace assay
