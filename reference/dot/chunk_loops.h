// Loops over chunks: k that a tensor core accumulates without an intermediate promotion. Included by kernels_<isa>.cpp only, like
// kernel_loops.h.

#include "reference/dot/kernel_loops.h"

namespace assay {
namespace {

/// Partial results of the unit are sums, each within its error of the exact one; that error is of_unit times the largest power P of two that
/// was aligned to, which they may be themselves: M <= sum + of_unit max(P, M). So M is below P, or at most sum / (1 - of_unit). Where
/// of_unit is 1 and more, M is at most the sum of magnitudes, for such units truncate.
template <class Simd, int kHeld, int kVectors>
[[gnu::always_inline]] inline void close_chunk(const ChunkBlock& c, int64_t row, const typename Simd::Vector (&sums)[kHeld][kVectors],
                                               const typename Simd::Vector (&most)[kHeld][kVectors]) {
  using Vector = typename Simd::Vector;
  constexpr int kWidth = Simd::kWidth;
  const Vector grown = Simd::all(c.grown);
  const int64_t place = row * kVectors * kWidth, stride = c.stride;
  const double *const row_scales = c.row_scales + row, *const row_errors = c.row_errors + row, *const row_norms = c.row_norms + row;
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

/// Some rows of a register tile of kRows: their sums and the largest of these stay in registers.
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
    for (int r = 0; r < kRows; r += kHeld) add_rows_of_chunk<Simd, kRows, kHeld, kVectors>(c, c.a + i * c.depth * kRows + r, i * kRows + r);
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
