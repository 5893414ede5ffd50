// Sums of magnitudes with an instruction that multiplies pairs of bf16 and adds the products to f32. It multiplies four times as
// many numbers as an instruction on doubles.
#include <immintrin.h>

#include "reference/dot/dot_kernels.h"

namespace assay {
namespace {

constexpr int kRows = 8, kHeld = 4, kVectors = 3, kWidth = 16, kColumns = kVectors * kWidth, kLine = 8;

__m512bh bf16_of(__m512i pairs) { return (__m512bh)pairs; }

/// Adds products for kHeld rows of a register tile. Their totals, and their sums for the current scales, stay in registers.
void add_rows(const PairBlock& p, int64_t row_tile, int64_t column_tile, int first_row) {
  double* const to = p.sums + ((column_tile * p.tiles_of_sums + row_tile) * kRows + first_row) * kColumns;
  for (int i = 0; i < kHeld * kColumns; i += kLine) __builtin_prefetch(to + i, 1);
  __m512 all[kHeld][kVectors];
#pragma GCC unroll 16
  for (auto& row : all)
#pragma GCC unroll 4
    for (__m512& sum : row) sum = _mm512_setzero_ps();
  const uint32_t *a = p.a + row_tile * p.pairs * kRows + first_row, *b = p.b + column_tile * p.pairs * kColumns;
  const float *row_scales = p.row_scales + row_tile * kRows + first_row,
              *column_scales = p.column_scales + column_tile * kColumns;
  for (int64_t done = 0; done < p.pairs; done += p.pairs_of_scale) {
    const int64_t n = p.pairs - done < p.pairs_of_scale ? p.pairs - done : p.pairs_of_scale;
    __m512 sums[kHeld][kVectors];
#pragma GCC unroll 16
    for (auto& row : sums)
#pragma GCC unroll 4
      for (__m512& sum : row) sum = _mm512_setzero_ps();
#pragma GCC unroll 4
    for (int64_t i = 0; i < n; ++i, a += kRows, b += kColumns) {
      __m512bh column[kVectors];
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) column[v] = bf16_of(_mm512_loadu_si512(b + v * kWidth));
#pragma GCC unroll 16
      for (int r = 0; r < kHeld; ++r) {
        const __m512bh row = bf16_of(_mm512_set1_epi32(int(a[r])));
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) sums[r][v] = _mm512_dpbf16_ps(sums[r][v], row, column[v]);
      }
    }
#pragma GCC unroll 16
    for (int r = 0; r < kHeld; ++r)
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v)
        all[r][v] =
            _mm512_fmadd_ps(sums[r][v], _mm512_set1_ps(row_scales[r]) * _mm512_loadu_ps(column_scales + v * kWidth), all[r][v]);
    row_scales += p.row_scales_apart, column_scales += p.column_scales_apart;
  }
  // No term is negative. A term passes at most k additions of products, one addition per run, and a few roundings of scales.
  const double roundings = double(2 * p.pairs + (p.pairs + p.pairs_of_scale - 1) / p.pairs_of_scale + 4);
  const double upward = 1 + roundings * (__FLT_EPSILON__ / 2) * (1 + roundings * __FLT_EPSILON__);
  const double* const of_columns = p.of_columns + column_tile * kColumns;
#pragma GCC unroll 16
  for (int r = 0; r < kHeld; ++r) {
    const __m512d of_row = _mm512_set1_pd(p.of_rows[row_tile * kRows + first_row + r] * upward);
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      const __m512d half[2] = {_mm512_maskz_cvtps_pd(0xff, _mm512_maskz_extractf32x8_ps(0xff, all[r][v], 0)),
                               _mm512_maskz_cvtps_pd(0xff, _mm512_maskz_extractf32x8_ps(0xff, all[r][v], 1))};
      for (int h = 0; h < 2; ++h) {
        const int column = v * kWidth + h * kWidth / 2;
        double* const at = to + r * kColumns + column;
        _mm512_storeu_pd(at, _mm512_fmadd_pd(half[h], of_row * _mm512_loadu_pd(of_columns + column), _mm512_loadu_pd(at)));
      }
    }
  }
}

}  // namespace

void add_pairs_avx512bf16(const PairBlock& p) {
  for (int64_t j = 0; j < p.column_tiles; ++j)
    for (int64_t i = 0; i < p.row_tiles; ++i)
      for (int row = 0; row < kRows; row += kHeld) add_rows(p, i, j, row);
}

}  // namespace assay
