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

/// Exponents of the operands; kNoDotExponent for a zero.
struct ExponentBlock {
  const int16_t* a;  ///< [row_tiles][k][exponent rows]
  const int16_t* b;  ///< [column_tiles][k][exponent columns]
  int64_t k, row_tiles, column_tiles;
  int16_t* largest;  ///< [row_tiles * exponent rows][stride]
  int64_t stride;
};

/// The sum of two such is no less than the least number of 16 bits, and one of them with an exponent is less than any sum of two exponents.
inline constexpr int16_t kNoDotExponent = -16384;

/// The sums of one chunk, and what a matrix unit may have made of them: register tiles side by side as in PanelBlock, with numbers for
/// each of their rows and columns.
struct ChunkTiles {
  int64_t row_tiles, column_tiles;
  const double *row_scales, *column_scales;  ///< what the sums are yet to be multiplied by
  const double *row_norms, *column_norms;    ///< of the values in the chunk
  const double* sums;
  const double* largest;     ///< the largest magnitude of a sum after a step
  const int16_t* exponents;  ///< the largest of the products' exponents, [rows][stride]
  int64_t stride;
  double of_sums;  ///< error of sums over norms
  double of_unit;  ///< error of the unit's chunk over its largest aligned power of two
  double* total;
  double* bound;  ///< of the unit's error
  double* power;  ///< the largest power of two that was aligned to before scales
};

/// Exponents of products of codes with their scales lie within; one at the lower end and below stands for no product.
inline constexpr int kPowers = 800;

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
  /// The same, from the sums that are there on: after every `step` products each magnitude of a sum raises its number in `largest`.
  void (*add_products_in_steps)(const PanelBlock& block, int64_t step, double* largest);
  int magnitude_rows, magnitude_columns;
  /// sums += of_rows * of_columns * a * b^T, each at least that product and more by at most 2^-23 (k + 6) of it and k of_rows of_columns
  /// 2^-126.
  void (*add_magnitudes)(const MagnitudeBlock& block);
  int exponent_rows, exponent_columns;
  /// largest = max(largest, exponent of a + exponent of b).
  void (*raise_exponents)(const ExponentBlock& block);
  /// Adds a chunk, scaled, and its error; raises the powers.
  void (*close_chunk)(const ChunkTiles& chunk);
  /// value = sum * factor * factors, and error at least its distance from the exact number: 0 if it has none, else enough that value -
  /// error and value + error as doubles lie on both sides of that number.
  void (*certify)(const RowCertificate& row, const double* sums, double* value, double* error, int64_t n);
};

/// The best set that this processor has; the environment variable ASSAY_ISA asks for a lesser one, as in recipe/lanes.h.
const DotKernels& dot_kernels();
const DotKernels* dot_kernels_named(std::string_view name);  ///< nullptr if this processor lacks it

}  // namespace assay
