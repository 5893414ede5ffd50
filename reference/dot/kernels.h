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
  /// value = sum * factor * factors, and error at least its distance from the exact number: 0 if it has none, else enough that value -
  /// error and value + error as doubles lie on both sides of that number.
  void (*certify)(const RowCertificate& row, const double* sums, double* value, double* error, int64_t n);
};

/// The best set that this processor has; the environment variable ASSAY_ISA asks for a lesser one, as in recipe/lanes.h.
const DotKernels& dot_kernels();
const DotKernels* dot_kernels_named(std::string_view name);  ///< nullptr if this processor lacks it

}  // namespace assay
