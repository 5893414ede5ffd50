// Included by kernels_<isa>.cpp only, each compiled with other flags. Everything has internal linkage, so that no instruction of one
// set can reach a machine that lacks it through a merged inline function.

#include "reference/dot/kernels.h"
#include "reference/formats/quantum.h"

namespace assay {
namespace {

constexpr int kLine = 8;  ///< doubles of a cache line

/// sums += products of `k` ascending k, in registers.
template <class Simd, int kRows, int kVectors>
[[gnu::always_inline]] inline void accumulate(const typename Simd::Number*& a, const typename Simd::Number*& b, int64_t k,
                                              typename Simd::Vector (&sums)[kRows][kVectors]) {
  using Vector = typename Simd::Vector;
  for (int64_t i = 0; i < k; ++i, a += kRows, b += kVectors * Simd::kWidth) {
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

/// One register tile: kRows x kVectors sums stay in registers over all of k.
template <class Simd, int kRows, int kVectors>
void tile(const double* a, const double* b, int64_t k, double* to) {
  using Vector = typename Simd::Vector;
  for (int i = 0; i < kRows * kVectors * Simd::kWidth; i += kLine) __builtin_prefetch(to + i, 1);
  Vector sums[kRows][kVectors];
#pragma GCC unroll 16
  for (auto& row : sums)
#pragma GCC unroll 4
    for (Vector& sum : row) sum = Simd::zero();
  accumulate<Simd>(a, b, k, sums);
#pragma GCC unroll 16
  for (const auto& row : sums)
#pragma GCC unroll 4
    for (const Vector& sum : row) {
      Simd::store(to, Simd::add(Simd::load(to), sum));
      to += Simd::kWidth;
    }
}

template <class Simd, int kRows, int kVectors>
void tile_in_steps(const double* a, const double* b, int64_t k, int64_t step, double* to, double* largest) {
  constexpr int kWidth = Simd::kWidth;
  typename Simd::Vector sums[kRows][kVectors];
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) sums[r][v] = Simd::load(to + (r * kVectors + v) * kWidth);
  for (int64_t i = 0; i < k; i += step) {
    accumulate<Simd>(a, b, k - i < step ? k - i : step, sums);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) {
        double* raised = largest + (r * kVectors + v) * kWidth;
        Simd::store(raised, Simd::larger(Simd::load(raised), Simd::magnitude(sums[r][v])));
      }
  }
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) Simd::store(to + (r * kVectors + v) * kWidth, sums[r][v]);
}

template <class Simd, int kRows, int kVectors>
void add_products(const PanelBlock& p) {
  constexpr int kColumns = kVectors * Simd::kWidth;
  for (int64_t j = 0; j < p.column_tiles; ++j)
    for (int64_t i = 0; i < p.row_tiles; ++i)
      tile<Simd, kRows, kVectors>(p.a + i * p.k * kRows, p.b + j * p.k * kColumns, p.k,
                                  p.sums + (j * p.tiles_of_sums + i) * kRows * kColumns);
}

template <class Simd, int kRows, int kVectors>
void add_products_in_steps(const PanelBlock& p, int64_t step, double* largest) {
  constexpr int kColumns = kVectors * Simd::kWidth;
  for (int64_t j = 0; j < p.column_tiles; ++j)
    for (int64_t i = 0; i < p.row_tiles; ++i) {
      const int64_t place = (j * p.tiles_of_sums + i) * kRows * kColumns;
      tile_in_steps<Simd, kRows, kVectors>(p.a + i * p.k * kRows, p.b + j * p.k * kColumns, p.k, step, p.sums + place, largest + place);
    }
}

/// Each of k sums of positive numbers, each product and both operands were rounded by at most 2^-24 of the result, and a product that is
/// too small for f32 lost less than 2^-126.
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
      accumulate<Simd>(a, b, p.k, sums);
      float stored[kRows][kColumns];
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) Simd::store(stored[r] + v * Simd::kWidth, sums[r][v]);
      double* __restrict to = p.sums + (j * p.tiles_of_sums + i) * kRows * kColumns;
      for (int r = 0; r < kRows; ++r)
        for (int c = 0; c < kColumns; ++c)
          to[r * kColumns + c] += (double(stored[r][c]) * upward + lost) * (p.of_rows[i * kRows + r] * p.of_columns[j * kColumns + c]);
    }
}

template <class Simd, int kRows, int kVectors>
void raise_exponents(const ExponentBlock& p) {
  constexpr int kWidth = Simd::kWidth, kColumns = kVectors * kWidth;
  for (int64_t j = 0; j < p.column_tiles; ++j)
    for (int64_t i = 0; i < p.row_tiles; ++i) {
      const int16_t *a = p.a + i * p.k * kRows, *b = p.b + j * p.k * kColumns;
      int16_t* to = p.largest + i * kRows * p.stride + j * kColumns;
      typename Simd::Vector largest[kRows][kVectors];
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) largest[r][v] = Simd::load(to + r * p.stride + v * kWidth);
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
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) Simd::store(to + r * p.stride + v * kWidth, largest[r][v]);
    }
}

/// Sums and extremes of numbers that stand side by side.
struct LanesOfExtremes {
  static constexpr int kLanes = 8;
  double squares[kLanes] = {}, zeros[kLanes] = {}, least[kLanes];

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

/// What a chunk of a unit may be off, from the sums that it makes.
struct ErrorOfChunk {
  double of_sums, of_unit, by_sums, by_norms, grown;

  explicit ErrorOfChunk(const ChunkTiles& c)
      : of_sums(c.of_sums),
        of_unit(c.of_unit),
        by_sums(c.of_unit < 1 ? 1 : 0),
        by_norms(1 - by_sums),
        grown(by_sums / (1 - c.of_unit * by_sums)) {}
};

/// Partial results of the unit are sums, each within its error of the exact one; that error is of_unit times the largest power that was
/// aligned to, which they may be themselves: M <= sum + of_unit * max(power of the products, M). Where of_unit is 1 and more, M is at most
/// the sum of magnitudes, for such units truncate.
template <class Simd, int kRows, int kVectors>
void close_chunk(const ChunkTiles& c) {
  using Vector = typename Simd::Vector;
  constexpr int kWidth = Simd::kWidth;
  const ErrorOfChunk e(c);
  int64_t place = 0;
  for (int64_t j = 0; j < c.column_tiles; ++j)
    for (int64_t row = 0; row < c.row_tiles * kRows; ++row)
      for (int v = 0; v < kVectors; ++v, place += kWidth) {
        const int64_t column = (j * kVectors + v) * kWidth;
        const Vector scale = c.row_scales[row] * Simd::load(c.column_scales + column);
        const Vector norms = c.row_norms[row] * Simd::load(c.column_norms + column);
        const Vector of_products = Simd::power_of(c.exponents + row * c.stride + column), largest = Simd::load(c.largest + place);
        const Vector sum = largest + e.of_sums * norms;
        const Vector beside_products = (sum + e.of_unit * of_products) * e.by_sums, alone = sum * e.grown + norms * e.by_norms;
        const Vector of_partial = Simd::power_below(Simd::larger(beside_products, alone));
        const Vector error = Simd::magnitude(scale) * e.of_unit * Simd::larger(of_products, of_partial);
        const Vector power = Simd::larger(of_products, Simd::power_below(largest));
        Simd::store(c.total + place, Simd::load(c.total + place) + Simd::load(c.sums + place) * scale);
        Simd::store(c.bound + place, Simd::load(c.bound + place) + error);
        Simd::store(c.power + place, Simd::larger(power, Simd::load(c.power + place)));
      }
}

/// A product of two doubles that are multiples of 2^-600 and the part that it lost are doubles both.
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
    // Four roundings made the distance, one more comes with each end; epsilon times the product is at least its last place.
    const double outward = distance * (1 + 4 * kEpsilon) + __builtin_fabs(product) * kEpsilon;
    to_value[j] = product + 0.0;  // -0 becomes +0
    to_error[j] = distance == 0 ? 0.0 : outward;
  }
}

}  // namespace
}  // namespace assay
