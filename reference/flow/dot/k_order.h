// In which order a kernel multiplies along k, where its matrix instruction reads lanes from places that lie apart.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "reference/contracts/row_cells.h"
#include "reference/units/predict.h"

namespace assay {

/// lanes(L,R,A): each of L groups of lanes takes R neighbours in k, and the groups begin A apart. The first instruction has the products
/// 0 .. R-1, A .. A+R-1, 2A .. 2A+R-1, ..; the next one those R further on. After L*A products the pattern repeats. Both factors
/// are read in this order, so that only the order of additions depends on it. No lanes: ascending.
///
/// Source  composable_kernel 8e22e1ae blockwise_gemm_pipeline_xdlops_base.hpp: A is KPerThread, KPerBlock / L;
///         with a shuffled weight or scales of blocks, and in AITER's opus, A is KPack, 16.
struct KOrder {
  int64_t lanes = 0, run = 0, apart = 0;

  bool any() const { return lanes > 0; }
  int64_t period() const { return any() ? lanes * apart : 1; }
  /// The product that is multiplied at `place`.
  int64_t product_at(int64_t place) const;
  /// "lanes(4,8,32)", or "ascending".
  std::string text() const;
  bool operator==(const KOrder&) const = default;
};

/// The alternatives of a cell; empty of an empty one, which stands for ascending k. Throws TableError.
std::vector<KOrder> read_k_orders(const RowCells& cells, const std::string& column);

/// Codes of a byte of a factor, [rows, whole periods of k], in the order in which they are multiplied; zeros stand beyond k.
std::vector<std::byte> in_order(const KOrder& order, const UnitFactor& factor, int64_t rows, int64_t k);

}  // namespace assay
