// What every matrix product takes for granted unless its rules say otherwise.
#pragma once

#include "kernels/gemm/lists.h"
#include "kernels/gemm/operands.h"
#include "kernels/simt/simt.h"

namespace assay_kernels {

template <class MatrixUnit>
struct PlainProduct {
  using Unit = MatrixUnit;
  using CodesOfA = typename MatrixUnit::A;  ///< that the tensors hold
  using CodesOfB = typename MatrixUnit::B;

  static constexpr int64_t kPeriod = 1;  ///< products after which the order along k repeats
  /// The product that is multiplied at a place.
  SIMT_DEVICE static int64_t product_at(int64_t place) { return place; }

  static constexpr bool kDenseWeight = false;  ///< rows of b follow each other: it is no matrix of rows

  /// Where what is multiplied lies.
  SIMT_DEVICE static int64_t products(int64_t k) { return k; }
  SIMT_DEVICE static int64_t row_of_a(int64_t row, int64_t /*m*/) { return row; }
  SIMT_DEVICE static int64_t byte_of_a(int64_t row, int64_t k, int64_t pitch) { return row * pitch + k; }
  SIMT_DEVICE static int64_t byte_of_b(int64_t column, int64_t k, int64_t /*n*/, int64_t pitch) { return column * pitch + k; }
  SIMT_DEVICE static int64_t place_of_d(int64_t row, int64_t column, int64_t pitch) { return row * pitch + column; }
  SIMT_DEVICE static bool keeps_part(int64_t /*first*/, int64_t /*end*/, int64_t /*k*/) { return true; }
};

/// Each of kLanes groups of lanes takes eight neighbours in k, and the groups begin kApart apart: composable_kernel 8e22e1ae,
/// blockwise_gemm_pipeline_xdlops_base.hpp CalculateAThreadOriginDataIndex. Both factors are read so.
template <class Base, int kLanes, int kApart>
struct LaneOrder : Base {
  static constexpr int64_t kPeriod = kLanes * kApart;
  SIMT_DEVICE static int64_t product_at(int64_t place) {
    const int64_t at = place % kPeriod, eight = at / 8;
    return place - at + eight % kLanes * kApart + eight / kLanes * 8 + at % 8;
  }
};

/// The end of whole periods of k.
template <class Rules>
SIMT_DEVICE int64_t end_of_periods(int64_t first, int64_t end) {
  return first + (end - first + Rules::kPeriod - 1) / Rules::kPeriod * Rules::kPeriod;
}

/// Refuses a weight whose rows lie apart where there are no rows.
template <class Rules>
void expect_weight(const GemmOperands& x) {
  if (Rules::kDenseWeight && x.pitch_b != x.k) unsupported("b is shuffled and must be dense");
}

/// AITER e4048607, aiter/ops/shuffle.py, layout (16, 16), codes of a byte: cells of 16 rows and 32 products in 512 bytes, in which
/// 16 products of a row lie together, those of all rows before the next 16.
struct ShuffledWeight {
  SIMT_DEVICE static int64_t byte(int64_t column, int64_t k, int64_t all_k) {
    return (column >> 4) * 16 * all_k + (k >> 5) * 512 + ((k >> 4) & 1) * 256 + (column & 15) * 16 + (k & 15);
  }
};

/// Rules of a product whose weight comes so.
template <class Base>
struct OfShuffledWeight : Base {
  static constexpr bool kDenseWeight = true;
  SIMT_DEVICE static int64_t byte_of_b(int64_t column, int64_t k, int64_t /*n*/, int64_t all_k) {
    return ShuffledWeight::byte(column, k, all_k);
  }
};

}  // namespace assay_kernels
