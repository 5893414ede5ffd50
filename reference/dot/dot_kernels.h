// The inner loops of exact dot products, compiled for several instruction sets. Operands are packed in panels: for each k, the
// numbers of all rows (or columns) of a register tile are contiguous.
#pragma once

#include <cstdint>
#include <string_view>

namespace assay {

/// Operands and sums of row_tiles x column_tiles register tiles over `k` elements. The sums of a register tile are contiguous.
struct PanelBlock {
  const double* a;  ///< [row_tiles][k][tile rows]
  const double* b;  ///< [column_tiles][k][tile columns]
  int64_t k, row_tiles, column_tiles;
  double* sums;           ///< [column_tiles][row_tiles of `sums`][tile rows][tile columns]
  int64_t tiles_of_sums;  ///< row tiles per column tile in `sums`
};

/// As PanelBlock, for magnitudes in f32: an element is a fraction, in a or b, times the power of two of its row or column.
struct MagnitudeBlock {
  const float* a;  ///< [row_tiles][k][magnitude rows]
  const float* b;  ///< [column_tiles][k][magnitude columns]
  int64_t k, row_tiles, column_tiles;
  const double* of_rows;     ///< powers of two for the rows of a, [row_tiles][magnitude rows]
  const double* of_columns;  ///< the same for the rows of b, [column_tiles][magnitude columns]
  double* sums;              ///< as in PanelBlock
  int64_t tiles_of_sums;
};

/// As MagnitudeBlock, for magnitudes of one-byte codes, stored as bf16: a 32-bit word holds two consecutive elements along k.
/// Each run of 2 * pairs_of_scale elements along k has one scale per row.
struct PairBlock {
  const uint32_t* a;  ///< [row_tiles][pairs][magnitude rows], the earlier k in the low half
  const uint32_t* b;  ///< [column_tiles][pairs][magnitude columns]
  int64_t pairs, pairs_of_scale, row_tiles, column_tiles;
  const float *row_scales, *column_scales;        ///< as fractions of of_rows and of_columns; one run's scales are contiguous
  int64_t row_scales_apart, column_scales_apart;  ///< distance from a run's scales to those of the next run
  const double *of_rows, *of_columns;             ///< as in MagnitudeBlock
  double* sums;
  int64_t tiles_of_sums;
};

/// Exponents of operands (T: 8 or 16 bits), to find the largest exponent of each element's products. `depth`: k per panel.
template <class T>
struct ExponentBlock {
  const int32_t* a;  ///< [row_tiles][depth][tile rows], each repeated to fill the word
  const T* b;        ///< [column_tiles][depth][exponent columns]
  int64_t k, depth, row_tiles, column_tiles;
  bool begins;       ///< true: `largest` is set, not raised
  int16_t* largest;  ///< largest exponent of the products of each element of y, [row_tiles * tile rows][stride]
  int64_t stride;
};

/// 16-bit exponents. kNoDotExponent is the exponent of a zero; twice kNoDotExponent still fits in 16 bits. Products of codes and
/// scales that are not zero have exponents above -kPowers.
inline constexpr int16_t kNoDotExponent = -16384;
inline constexpr int kPowers = 800;

/// 8-bit exponents, for formats whose exponents are at most kMostSmallExponent in magnitude. kNoSmallExponent: a zero.
inline constexpr int8_t kNoSmallExponent = -64;
inline constexpr int kMostSmallExponent = 15;

/// One column of register tiles, for k consecutive elements of a chunk, and the outputs at the end of the chunk. A chunk is a run
/// along k that a tensor core accumulates without promotion. `sums` is laid out as in PanelBlock.
struct ChunkBlock {
  const double* a;  ///< [row_tiles][depth][tile rows]
  const double* b;  ///< [k][tile columns]
  int64_t k, depth, row_tiles;
  int64_t step;         ///< products per step of the tensor core; bounds consider the partial result after each step
  bool begins, ends;    ///< true if the chunk starts, or ends, with these k
  double *sums, *most;  ///< for a chunk in several blocks: its sums so far, and the largest magnitude of each after any step

  const double *row_scales, *column_scales;  ///< per row and column: scales by which the sums must still be multiplied
  /// magnitudes of the scales; row_errors are multiplied by the tensor core's error relative to the alignment's power of two
  const double *row_errors, *column_errors;
  /// upper bound of the tensor core's own partial results: grown * |partial sum| + row norm * column norm
  const double *row_norms, *column_norms;
  double grown;
  const int16_t* exponents;  ///< the largest of the products' exponents, [rows][stride]
  int64_t stride;
  double* total;
  double* bound;  ///< bound of the tensor core's error
  double* power;  ///< the largest power of two used for alignment, before scales; nullptr: not computed
};

/// Inputs for the bound of the distance between computed and exact sums, for one row of y.
struct RowCertificate {
  double factor, norm, step;              ///< for the row of a: its scale, norm_of() and RowFacts::step
  const double *factors, *norms, *steps;  ///< the same for the rows of b
  double unit;                            ///< bound of an inexact sum's error, divided by the product of both rows' norms
};

/// What scale_all() finds about the values of a segment of a row.
struct Extremes {
  double squares;  ///< sum of squares of the finite numbers, after scaling, in any order
  double least;    ///< smallest magnitude of the finite nonzero values; Inf if there is none
  bool all_finite;
};

struct DotKernels {
  std::string_view name;  ///< "avx512", "avx2", "scalar"
  int tile_rows, tile_columns;
  /// Multiplies all values by a finite scale. NaN and Inf become zero.
  Extremes (*scale_all)(double scale, double* values, int64_t n);
  /// sums += a * b^T. The products of the block are added to each other from zero, in ascending k, and then to sums.
  void (*add_products)(const PanelBlock& block);
  /// Adds the products of a block to the sums of its chunk. At the end of the chunk, adds these sums to the totals, and the bound
  /// of the tensor core's error to the bounds.
  void (*add_chunk)(const ChunkBlock& block);
  int magnitude_rows, magnitude_columns;
  /// sums += of_rows * of_columns * a * b^T. The added value is at least this product P, and exceeds it by at most 2^-23 (k +
  /// 6) P + k of_rows of_columns 2^-126.
  void (*add_magnitudes)(const MagnitudeBlock& block);
  /// As add_magnitudes, for a PairBlock, if no scaled product is below 2^-126. The added value exceeds the product P by at most
  /// 2^-23 (k + runs + 6) P. nullptr if the processor lacks the instruction.
  void (*add_pairs)(const PairBlock& block);
  int exponent_columns;
  /// largest = max(largest, exponent of a + exponent of b). The result for products that are zero is below -kPowers.
  void (*raise_small_exponents)(const ExponentBlock<int8_t>& block);
  void (*raise_exponents)(const ExponentBlock<int16_t>& block);
  /// value = sum * factor * factors, rounded. error is 0 if value is exact; otherwise, the exact number lies between the doubles
  /// value - error and value + error.
  void (*certify)(const RowCertificate& row, const double* sums, double* value, double* error, int64_t n);
};

/// The best kernels for this processor. The environment variable ASSAY_ISA selects a lesser set, as in recipe/lanes.h.
const DotKernels& dot_kernels();
const DotKernels* dot_kernels_named(std::string_view name);  ///< Returns nullptr if this processor lacks the instruction set.

}  // namespace assay
