// A tile of a GEMM: its operands, one element without rounding, and bounds of absolute sums.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "reference/dot/dot_operand.h"
#include "reference/dot/exact_dot.h"
#include "reference/formats/round.h"

namespace assay {

// One tile of a GEMM: packed, summed in double, certified, rounded.

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

// One element of a product of scaled codes, exactly: block sums without rounding, their scaled sum in long integers.

/// A real number between two neighbouring doubles, which are equal if it is one. NaN and infinities are in both.
struct ExactElement {
  double low, high;
};

/// y[row, column] = sum over blocks of (scale_a * scale_b) * (sum of a * b of the block), where a block is the k that share both scales.
///
/// Error   None: two doubles around the exact sum.
/// Edges   Specials follow IEEE 754: NaN if a code or a scale is NaN, if Inf meets 0, as codes of one k, or as a scale and the sum of its
///         block or the other scale, or if both infinities are added; else Inf if one is there. An exact sum of zero is +0.
/// Source  Blocks: S. M. Rump, T. Ogita, S. Oishi, "Accurate floating-point summation part I" (2008); their sum: exact/exact_sum.h.
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
  int64_t row_ = -1, column_ = -1;  ///< whose values are at hand
};

/// The exact number rounded once to a format of at most 51 bits, to nearest even; what does not fit becomes Inf or, without one, NaN.
double nearest(const Format& format, const ExactElement& element);

// Sums of absolute products, which error bounds multiply: in f32 with everything rounded upward in the end.

/// sum over k of |a b| with all scales, of a part of y: to(i) gets row i of it. Not less than the sum, and more by at most 2^-14
/// of it and, where all products of a stretch of 256 k are tiny beside those of the largest numbers of both rows, 2^-118 of
/// these. What is not finite counts as 0.
void absolute_sums(const DotTask& task, const DotRange& part, const std::function<std::span<double>(int64_t row)>& to);

}  // namespace assay
