// The inner loops of exact dot products, compiled for several instruction sets. Panels are packed: first k, then the rows or columns of
// one register tile side by side.
#pragma once

#include <cstdint>
#include <string_view>

namespace assay {

/// A block of row_tiles x column_tiles register tiles that lie side by side in t, over `k` products.
struct PanelBlock {
  const double* a;  ///< [row_tiles][k][tile rows]
  const double* b;  ///< [column_tiles][k][tile columns]
  int64_t k, row_tiles, column_tiles;
  double* t;  ///< [row_tiles * tile rows][t_stride]
  int64_t t_stride;
};

/// What decides how far the sums of a row of y can be from the exact ones.
struct RowCertificate {
  double factor, norm, step;              ///< of the row of a: its scale, norm and step as of RowFacts
  const double *factors, *norms, *steps;  ///< of the rows of b
  double unit;                            ///< error of a sum that is not exact, over the product of norms
};

struct DotKernels {
  std::string_view name;  ///< "avx512", "avx2", "scalar"
  int tile_rows, tile_columns;
  /// t += a * b^T. Products are added one after the other in ascending k, from zero, before their sum joins t.
  void (*add_products)(const PanelBlock& block);
  /// value = sum * factor * factors, and error at least its distance from the exact number: 0 if it has none, else enough that value -
  /// error and value + error as doubles lie on both sides of that number.
  void (*certify)(const RowCertificate& row, const double* sums, double* value, double* error, int64_t n);
};

/// The best set that this processor has; the environment variable ASSAY_ISA asks for a lesser one, as in recipe/lanes.h.
const DotKernels& dot_kernels();
const DotKernels* dot_kernels_named(std::string_view name);  ///< nullptr if this processor lacks it

}  // namespace assay
