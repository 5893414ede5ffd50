// The inner loops of exact dot products, compiled for several instruction sets. Panels are packed: first k, then the rows or columns of
// one register tile side by side.
#pragma once

#include <cstdint>
#include <string_view>

namespace assay {

/// A block of row_tiles x column_tiles register tiles over `k` products. The sums of a register tile lie together.
struct PanelBlock {
  const double* a;  ///< [row_tiles][k][tile rows]
  const double* b;  ///< [column_tiles][k][tile columns]
  int64_t k, row_tiles, column_tiles;
  double* sums;           ///< [column_tiles][row_tiles of `sums`][tile rows][tile columns]
  int64_t tiles_of_sums;  ///< row tiles from one column tile to the next
};

/// The same in f32 with magnitudes: a and b hold them as parts of a power of two, one for each row and column.
struct MagnitudeBlock {
  const float* a;  ///< [row_tiles][k][magnitude rows]
  const float* b;  ///< [column_tiles][k][magnitude columns]
  int64_t k, row_tiles, column_tiles;
  const double* of_rows;     ///< powers of two, [row_tiles][magnitude rows]
  const double* of_columns;  ///< [column_tiles][magnitude columns]
  double* sums;              ///< as in PanelBlock
  int64_t tiles_of_sums;
};

/// The same of codes of one byte, whose magnitudes bf16 holds, two neighbours in k to a word, in stretches of k that have one
/// scale each.
struct PairBlock {
  const uint32_t* a;  ///< [row_tiles][pairs][magnitude rows], the earlier k in the low half
  const uint32_t* b;  ///< [column_tiles][pairs][magnitude columns]
  int64_t pairs, pairs_of_scale, row_tiles, column_tiles;
  const float *row_scales, *column_scales;        ///< parts of a power of two, of a stretch side by side
  int64_t row_scales_apart, column_scales_apart;  ///< from one stretch to the next
  const double *of_rows, *of_columns;             ///< as in MagnitudeBlock
  double* sums;
  int64_t tiles_of_sums;
};

/// Exponents of the operands in numbers of 8 or 16 bits: a stretch of k from panels of `depth`.
template <class T>
struct ExponentBlock {
  const int32_t* a;  ///< [row_tiles][depth][tile rows], each as often as it fits
  const T* b;        ///< [column_tiles][depth][exponent columns]
  int64_t k, depth, row_tiles, column_tiles;
  bool begins;       ///< nothing is in `largest` yet
  int16_t* largest;  ///< [row_tiles * tile rows][stride]
  int64_t stride;
};

/// Exponents of 16 bits: what stands for that of a zero, and the lower end of what products of codes with their scales have. The sum of two
/// that are none is no less than the least number of 16 bits.
inline constexpr int16_t kNoDotExponent = -16384;
inline constexpr int kPowers = 800;

/// Exponents of 8 bits, for formats whose exponents lie within +-kMostSmallExponent.
inline constexpr int8_t kNoSmallExponent = -64;
inline constexpr int kMostSmallExponent = 15;

/// A column of register tiles over a stretch of k of a chunk, which a tensor core adds without anything coming in between, and what becomes
/// of the chunk at its end. Numbers for rows and columns lie side by side, sums as in PanelBlock.
struct ChunkBlock {
  const double* a;  ///< [row_tiles][depth][tile rows]
  const double* b;  ///< [k][tile columns]
  int64_t k, depth, row_tiles;
  int64_t step;         ///< products of one step of the unit, whose partial result counts
  bool begins, ends;    ///< whether the chunk does with these k
  double *sums, *most;  ///< of a chunk that is not whole: its sums, and the largest magnitude that each had after a step

  const double *row_scales, *column_scales;  ///< what sums are yet to be multiplied by
  const double *row_errors, *column_errors;  ///< their magnitudes; of rows times the unit's error over its largest aligned power of two
  const double *row_norms, *column_norms;    ///< what is added to a partial result times `grown`, so that the unit's is no larger
  double grown;
  const int16_t* exponents;  ///< the largest of the products' exponents, [rows][stride]
  int64_t stride;
  double* total;
  double* bound;  ///< of the unit's error
  double* power;  ///< the largest power of two that was aligned to before scales; nullptr: not wanted
};

/// What decides how far the sums of a row of y can be from the exact ones.
struct RowCertificate {
  double factor, norm, step;              ///< of the row of a: its scale, norm and step as of RowFacts
  const double *factors, *norms, *steps;  ///< of the rows of b
  double unit;                            ///< error of a sum that is not exact, over the product of norms
};

/// Numbers of a segment before they are scaled.
struct Extremes {
  double squares;  ///< sum of squares of the finite ones, scaled, in any order
  double least;    ///< least magnitude of a finite one that is not 0; Inf if there is none
  bool all_finite;
};

struct DotKernels {
  std::string_view name;  ///< "avx512", "avx2", "scalar"
  int tile_rows, tile_columns;
  /// Multiplies all values by a finite scale and makes zeros of what is not finite.
  Extremes (*scale_all)(double scale, double* values, int64_t n);
  /// sums += a * b^T. Products are added one after the other in ascending k, from zero, before their sum joins.
  void (*add_products)(const PanelBlock& block);
  /// Adds the products of a stretch to the chunk's sums and, where the chunk ends, these to the totals and its error to the bounds.
  void (*add_chunk)(const ChunkBlock& block);
  int magnitude_rows, magnitude_columns;
  /// sums += of_rows * of_columns * a * b^T, each at least that product and more by at most 2^-23 (k + 6) of it and k of_rows of_columns
  /// 2^-126.
  void (*add_magnitudes)(const MagnitudeBlock& block);
  /// The same, where no product with its scales is below 2^-126, and more by at most 2^-23 (k + stretches + 6) of it. nullptr on
  /// a processor that has no such instruction.
  void (*add_pairs)(const PairBlock& block);
  int exponent_columns;
  /// largest = max(largest, exponent of a + exponent of b); what is none stays below -kPowers.
  void (*raise_small_exponents)(const ExponentBlock<int8_t>& block);
  void (*raise_exponents)(const ExponentBlock<int16_t>& block);
  /// value = sum * factor * factors, and error at least its distance from the exact number: 0 if it has none, else enough that value -
  /// error and value + error as doubles lie on both sides of that number.
  void (*certify)(const RowCertificate& row, const double* sums, double* value, double* error, int64_t n);
};

/// The best set that this processor has; the environment variable ASSAY_ISA asks for a lesser one, as in recipe/lanes.h.
const DotKernels& dot_kernels();
const DotKernels* dot_kernels_named(std::string_view name);  ///< nullptr if this processor lacks it

}  // namespace assay
