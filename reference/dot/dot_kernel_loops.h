// The loops of exact GEMMs. Only kernels_<isa>.cpp include this file; each is compiled for another instruction set. All have
// internal linkage: if the linker merged inline functions of these files, a processor could run instructions that it lacks.
#pragma once

#include "reference/dot/dot_kernels.h"
#include "reference/formats/round.h"

namespace assay {
namespace {

constexpr int kLine = 8;  ///< doubles per cache line

/// Adds k products to each of kRows x kVectors sums, in ascending k. a is a panel of kPanelRows rows; the first kRows are used.
template <class Simd, int kPanelRows, int kRows, int kVectors>
[[gnu::always_inline]] inline void accumulate(const typename Simd::Number*& a, const typename Simd::Number*& b, int64_t k,
                                              typename Simd::Vector (&sums)[kRows][kVectors]) {
  using Vector = typename Simd::Vector;
#pragma GCC unroll 4
  for (int64_t i = 0; i < k; ++i, a += kPanelRows, b += kVectors * Simd::kWidth) {
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
}

/// One register tile: kRows x kVectors sums stay in registers for all k.
template <class Simd, int kRows, int kVectors>
void tile(const double* a, const double* b, int64_t k, double* to) {
  using Vector = typename Simd::Vector;
  for (int i = 0; i < kRows * kVectors * Simd::kWidth; i += kLine) __builtin_prefetch(to + i, 1);
  Vector sums[kRows][kVectors];
#pragma GCC unroll 16
  for (auto& row : sums)
#pragma GCC unroll 4
    for (Vector& sum : row) sum = Simd::zero();
  accumulate<Simd, kRows>(a, b, k, sums);
#pragma GCC unroll 16
  for (const auto& row : sums)
#pragma GCC unroll 4
    for (const Vector& sum : row) {
      Simd::store(to, Simd::add(Simd::load(to), sum));
      to += Simd::kWidth;
    }
}

template <class Simd, int kRows, int kVectors>
void add_products(const PanelBlock& p) {
  constexpr int kColumns = kVectors * Simd::kWidth;
  for (int64_t j = 0; j < p.column_tiles; ++j)
    for (int64_t i = 0; i < p.row_tiles; ++i)
      tile<Simd, kRows, kVectors>(p.a + i * p.k * kRows, p.b + j * p.k * kColumns, p.k,
                                  p.sums + (j * p.tiles_of_sums + i) * kRows * kColumns);
}

/// Adds sums of magnitudes, computed in f32 and rounded upward. No term is negative, so each of the k additions, the product and
/// both operands add at most 2^-24 to the relative error. A product too small for f32 loses less than 2^-126.
template <class Simd, int kRows, int kVectors>
void add_magnitudes(const MagnitudeBlock& p) {
  constexpr int kColumns = kVectors * Simd::kWidth;
  const double upward = 1 + double(p.k + 4) * (__FLT_EPSILON__ / 2) * (1 + double(p.k + 4) * __FLT_EPSILON__);
  const double lost = double(p.k) * __FLT_MIN__;
  for (int64_t j = 0; j < p.column_tiles; ++j)
    for (int64_t i = 0; i < p.row_tiles; ++i) {
      typename Simd::Vector sums[kRows][kVectors];
#pragma GCC unroll 16
      for (auto& row : sums)
#pragma GCC unroll 4
        for (auto& sum : row) sum = Simd::zero();
      const float *a = p.a + i * p.k * kRows, *b = p.b + j * p.k * kColumns;
      accumulate<Simd, kRows>(a, b, p.k, sums);
      float stored[kRows][kColumns];
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) Simd::store(stored[r] + v * Simd::kWidth, sums[r][v]);
      double* __restrict to = p.sums + (j * p.tiles_of_sums + i) * kRows * kColumns;
      for (int r = 0; r < kRows; ++r)
        for (int c = 0; c < kColumns; ++c)
          to[r * kColumns + c] +=
              (double(stored[r][c]) * upward + lost) * (p.of_rows[i * kRows + r] * p.of_columns[j * kColumns + c]);
    }
}

/// Per vector lane: the sum of squares of the scaled values, the smallest nonzero magnitude before scaling, and a flag (`zeros`).
struct LanesOfExtremes {
  static constexpr int kLanes = 8;
  double squares[kLanes] = {}, zeros[kLanes] = {}, least[kLanes];  ///< zeros: 0, or NaN if a value was NaN or Inf

  LanesOfExtremes() {
    for (double& x : least) x = __builtin_inf();
  }
  void look(double scale, double* __restrict values) {
    for (int i = 0; i < kLanes; ++i) {
      const double x = values[i], zero = 0 * x, finite = zero == 0 ? x : 0.0, scaled = finite * scale;
      const double magnitude = __builtin_fabs(finite), other = magnitude > 0 ? magnitude : __builtin_inf();
      squares[i] += scaled * scaled;
      zeros[i] += zero;
      least[i] = other < least[i] ? other : least[i];
      values[i] = scaled;
    }
  }
  Extremes together() const {
    double all_squares = 0, all_zeros = 0, all_least = __builtin_inf();
    for (int i = 0; i < kLanes; ++i) {
      all_squares += squares[i];
      all_zeros += zeros[i];
      all_least = least[i] < all_least ? least[i] : all_least;
    }
    return {all_squares, all_least, all_zeros == 0};
  }
};

Extremes scale_all(double scale, double* values, int64_t n) {
  LanesOfExtremes lanes;
  constexpr int kLanes = LanesOfExtremes::kLanes;
  const int64_t whole = n / kLanes * kLanes;
  for (int64_t i = 0; i < whole; i += kLanes) lanes.look(scale, values + i);
  if (whole < n) {
    double rest[kLanes] = {};
    for (int64_t i = whole; i < n; ++i) rest[i - whole] = values[i];
    lanes.look(scale, rest);
    for (int64_t i = whole; i < n; ++i) values[i] = rest[i - whole];
  }
  return lanes.together();
}

/// DotKernels::certify. A sum times its scales is a multiple of 2^-600, so the rounding error `lost` of this product is a double.
void certify(const RowCertificate& row, const double* sums, double* value, double* error, int64_t n) {
  constexpr double kEpsilon = __DBL_EPSILON__, kStepsInDouble = 1 / (kEpsilon / 2);
  const double factor = row.factor, norm = row.norm, step = row.step, unit = row.unit;
  const double* __restrict factors = row.factors, * __restrict column_norms = row.norms, * __restrict steps = row.steps;
  const double* __restrict from = sums;
  double* __restrict to_value = value, * __restrict to_error = error;
  for (int64_t j = 0; j < n; ++j) {
    const double norms = norm * column_norms[j], scale = factor * factors[j], error_of_sum = unit * norms;
    const double of_sum = norms <= kStepsInDouble * (step * steps[j]) ? 0.0 : error_of_sum;
    const double product = from[j] * scale, lost = __builtin_fma(from[j], scale, -product);
    const double distance = of_sum * __builtin_fabs(scale) + __builtin_fabs(lost);
    // The distance has four roundings, and each end of the interval adds one more. epsilon times the product is at least one
    // ulp of the product.
    const double outward = distance * (1 + 4 * kEpsilon) + __builtin_fabs(product) * kEpsilon;
    to_value[j] = product + 0.0;  // -0 becomes +0
    to_error[j] = distance == 0 ? 0.0 : outward;
  }
}

// Loops over chunks. A chunk is a run along k that a tensor core accumulates without promotion. Besides sums, these loops compute
// bounds for the tensor core's error.

/// Bounds the magnitude M of a tensor core's partial results. M differs from the exact sum by at most of_unit * P, where P is the
/// largest power of two used for alignment. P may come from a partial result, so M <= sum + of_unit * max(P, M). It follows that
/// M is below P, or at most sum / (1 - of_unit). If of_unit >= 1, M is at most the sum of magnitudes, because such tensor cores
/// truncate.
template <class Simd, int kHeld, int kVectors>
[[gnu::always_inline]] inline void close_chunk(const ChunkBlock& c, int64_t row,
                                               const typename Simd::Vector (&sums)[kHeld][kVectors],
                                               const typename Simd::Vector (&most)[kHeld][kVectors]) {
  using Vector = typename Simd::Vector;
  constexpr int kWidth = Simd::kWidth;
  const Vector grown = Simd::all(c.grown);
  const int64_t place = row * kVectors * kWidth, stride = c.stride;
  const double *const row_scales = c.row_scales + row, *const row_errors = c.row_errors + row,
                      *const row_norms = c.row_norms + row;
  double* const total = c.total + place;
  double* const bound = c.bound + place;
  double* const power = c.power ? c.power + place : nullptr;
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) {
    const int column = v * kWidth;
    const Vector column_scale = Simd::load(c.column_scales + column), column_error = Simd::load(c.column_errors + column),
                 column_norm = Simd::load(c.column_norms + column);
    const int16_t* const exponents = c.exponents + row * stride + column;
#pragma GCC unroll 16
    for (int r = 0; r < kHeld; ++r) {
      const int64_t at = (r * kVectors + v) * kWidth;
      const Vector of_products = Simd::power_of(exponents + r * stride);
      const Vector partial = Simd::multiply_add(most[r][v], grown, Simd::all(row_norms[r]) * column_norm);
      const Vector reached = Simd::larger(of_products, Simd::power_below(partial));
      const Vector scale = Simd::all(row_scales[r]) * column_scale, error = Simd::all(row_errors[r]) * column_error;
      Simd::store(total + at, Simd::multiply_add(sums[r][v], scale, Simd::load(total + at)));
      Simd::store(bound + at, Simd::multiply_add(error, reached, Simd::load(bound + at)));
      if (!power) continue;
      const Vector aligned = Simd::larger(of_products, Simd::power_below(most[r][v]));
      Simd::store(power + at, Simd::larger(aligned, Simd::load(power + at)));
    }
  }
}

/// Adds products for kHeld of the kRows rows of a register tile, whose sums and largest partial results stay in registers.
template <class Simd, int kRows, int kHeld, int kVectors>
[[gnu::always_inline]] inline void add_rows_of_chunk(const ChunkBlock& c, const double* a, int64_t row) {
  using Vector = typename Simd::Vector;
  constexpr int kWidth = Simd::kWidth;
  const int64_t place = row * kVectors * kWidth;
  const double* b = c.b;
  for (int i = 0; i < kHeld * kVectors * kWidth; i += kLine) {
    __builtin_prefetch((c.ends ? c.total : c.sums) + place + i, 1);
    __builtin_prefetch((c.ends ? c.bound : c.most) + place + i, 1);
  }
  for (int r = 0; c.ends && r < kHeld; ++r) __builtin_prefetch(c.exponents + (row + r) * c.stride);
  Vector sums[kHeld][kVectors], most[kHeld][kVectors];
#pragma GCC unroll 16
  for (int r = 0; r < kHeld; ++r)
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      const int64_t at = place + (r * kVectors + v) * kWidth;
      sums[r][v] = c.begins ? Simd::zero() : Simd::load(c.sums + at);
      most[r][v] = c.begins ? Simd::zero() : Simd::load(c.most + at);
    }
  for (int64_t i = 0; i < c.k; i += c.step) {
    accumulate<Simd, kRows>(a, b, c.k - i < c.step ? c.k - i : c.step, sums);
#pragma GCC unroll 16
    for (int r = 0; r < kHeld; ++r)
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) most[r][v] = Simd::larger_magnitude(most[r][v], sums[r][v]);
  }
  if (c.ends) return close_chunk<Simd>(c, row, sums, most);
#pragma GCC unroll 16
  for (int r = 0; r < kHeld; ++r)
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      const int64_t at = place + (r * kVectors + v) * kWidth;
      Simd::store(c.sums + at, sums[r][v]);
      Simd::store(c.most + at, most[r][v]);
    }
}

template <class Simd, int kRows, int kHeld, int kVectors>
void add_chunk(const ChunkBlock& c) {
  static_assert(kRows % kHeld == 0);
  for (int64_t i = 0; i < c.row_tiles; ++i)
    for (int r = 0; r < kRows; r += kHeld)
      add_rows_of_chunk<Simd, kRows, kHeld, kVectors>(c, c.a + i * c.depth * kRows + r, i * kRows + r);
}

template <class Simd, int kRows, int kVectors>
void raise_exponents(const ExponentBlock<typename Simd::Number>& p) {
  constexpr int kWidth = Simd::kWidth, kColumns = kVectors * kWidth;
  for (int64_t j = 0; j < p.column_tiles; ++j)
    for (int64_t i = 0; i < p.row_tiles; ++i) {
      const int32_t* a = p.a + i * p.depth * kRows;
      const typename Simd::Number* b = p.b + j * p.depth * kColumns;
      typename Simd::Vector largest[kRows][kVectors];
#pragma GCC unroll 16
      for (auto& row : largest)
#pragma GCC unroll 4
        for (auto& x : row) x = Simd::least();
#pragma GCC unroll 4
      for (int64_t k = 0; k < p.k; ++k, a += kRows, b += kColumns) {
        typename Simd::Vector column[kVectors];
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) column[v] = Simd::load(b + v * kWidth);
#pragma GCC unroll 16
        for (int r = 0; r < kRows; ++r) {
          const typename Simd::Vector row = Simd::all(a[r]);
#pragma GCC unroll 4
          for (int v = 0; v < kVectors; ++v) largest[r][v] = Simd::larger(largest[r][v], Simd::add(row, column[v]));
        }
      }
      int16_t* to = p.largest + i * kRows * p.stride + j * kColumns;
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) Simd::raise(to + r * p.stride + v * kWidth, largest[r][v], p.begins);
    }
}

}  // namespace

}  // namespace assay
