// Included by kernels_<isa>.cpp only, each compiled with other flags. Everything has internal linkage, so that no instruction of one
// set can reach a machine that lacks it through a merged inline function.

#include "reference/dot/kernels.h"

namespace assay {
namespace {

/// One register tile: kRows x kVectors sums stay in registers over all of k.
template <class Simd, int kRows, int kVectors>
void tile(const double* a, const double* b, int64_t k, double* t, int64_t t_stride) {
  using Vector = typename Simd::Vector;
  constexpr int kColumns = kVectors * Simd::kWidth;
  Vector sums[kRows][kVectors];
#pragma GCC unroll 16
  for (auto& row : sums)
#pragma GCC unroll 4
    for (Vector& sum : row) sum = Simd::zero();
  for (int64_t i = 0; i < k; ++i, a += kRows, b += kColumns) {
    Vector column[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) column[v] = Simd::load(b + v * Simd::kWidth);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const Vector row = Simd::all(a[r]);
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) sums[r][v] = Simd::multiply_add(row, column[v], sums[r][v]);
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) Simd::add_to(t + r * t_stride + v * Simd::kWidth, sums[r][v]);
}

template <class Simd, int kRows, int kVectors>
void add_products(const PanelBlock& p) {
  constexpr int kColumns = kVectors * Simd::kWidth;
  for (int64_t j = 0; j < p.column_tiles; ++j)
    for (int64_t i = 0; i < p.row_tiles; ++i)
      tile<Simd, kRows, kVectors>(p.a + i * p.k * kRows, p.b + j * p.k * kColumns, p.k, p.t + i * kRows * p.t_stride + j * kColumns,
                                  p.t_stride);
}

/// A product of two doubles that are multiples of 2^-600 and the part that it lost are doubles both.
void certify(const RowCertificate& row, const double* sums, double* value, double* error, int64_t n) {
  constexpr double kEpsilon = __DBL_EPSILON__, kStepsInDouble = 1 / (kEpsilon / 2);
  for (int64_t j = 0; j < n; ++j) {
    const double norms = row.norm * row.norms[j], scale = row.factor * row.factors[j];
    const double of_sum = norms <= kStepsInDouble * (row.step * row.steps[j]) ? 0.0 : row.unit * norms;
    const double product = sums[j] * scale, lost = __builtin_fma(sums[j], scale, -product);
    const double distance = of_sum * __builtin_fabs(scale) + __builtin_fabs(lost);
    // Four roundings made the distance, one more comes with each end; epsilon times the product is at least its last place.
    const double outward = distance * (1 + 4 * kEpsilon) + __builtin_fabs(product) * kEpsilon;
    value[j] = product + 0.0;  // -0 becomes +0
    error[j] = distance == 0 ? 0.0 : outward;
  }
}

}  // namespace
}  // namespace assay
