#include <immintrin.h>

#include "reference/dot/dot_kernel_loops.h"

namespace assay {
namespace {

struct Doubles {
  using Number = double;
  using Vector = __m256d;
  static constexpr int kWidth = 4;
  static Vector zero() { return _mm256_setzero_pd(); }
  static Vector load(const double* p) { return _mm256_loadu_pd(p); }
  static Vector all(double x) { return _mm256_set1_pd(x); }
  static Vector multiply_add(Vector a, Vector b, Vector sum) { return _mm256_fmadd_pd(a, b, sum); }
  static Vector add(Vector a, Vector b) { return _mm256_add_pd(a, b); }
  /// The larger of a and |b|; a is a magnitude.
  static Vector larger_magnitude(Vector a, Vector b) { return _mm256_max_pd(a, _mm256_andnot_pd(_mm256_set1_pd(-0.0), b)); }
  static Vector larger(Vector a, Vector b) { return _mm256_max_pd(a, b); }
  static void store(double* p, Vector a) { _mm256_storeu_pd(p, a); }
  /// The largest power of two that is not above a; a is a magnitude.
  static Vector power_below(Vector a) { return _mm256_and_pd(a, _mm256_castsi256_pd(_mm256_set1_epi64x(0x7ff0000000000000))); }
  /// 2^exponent for each exponent; 0 for kNoDotExponent.
  static Vector power_of(const int16_t* exponents) {
    const __m256i e = _mm256_cvtepi16_epi64(_mm_loadl_epi64(static_cast<const __m128i*>(static_cast<const void*>(exponents))));
    const __m256i bits = _mm256_slli_epi64(_mm256_add_epi64(e, _mm256_set1_epi64x(1023)), 52);
    return _mm256_castsi256_pd(_mm256_and_si256(bits, _mm256_cmpgt_epi64(e, _mm256_set1_epi64x(-kPowers))));
  }
};

struct Floats {
  using Number = float;
  using Vector = __m256;
  static constexpr int kWidth = 8;
  static Vector zero() { return _mm256_setzero_ps(); }
  static Vector load(const float* p) { return _mm256_loadu_ps(p); }
  static Vector all(float x) { return _mm256_set1_ps(x); }
  static Vector multiply_add(Vector a, Vector b, Vector sum) { return _mm256_fmadd_ps(a, b, sum); }
  static void store(float* p, Vector a) { _mm256_storeu_ps(p, a); }
};

struct Words {
  using Number = int16_t;
  using Vector = __m256i;
  static constexpr int kWidth = 16;
  static Vector least() { return _mm256_set1_epi16(INT16_MIN); }
  static Vector load(const int16_t* p) { return _mm256_loadu_si256(static_cast<const Vector*>(static_cast<const void*>(p))); }
  static Vector all(int32_t x) { return _mm256_set1_epi32(x); }
  static Vector add(Vector a, Vector b) { return _mm256_add_epi16(a, b); }
  static Vector larger(Vector a, Vector b) { return _mm256_max_epi16(a, b); }
  static void raise(int16_t* to, Vector a, bool begins) {
    _mm256_storeu_si256(static_cast<Vector*>(static_cast<void*>(to)), begins ? a : larger(load(to), a));
  }
};

struct Bytes {
  using Number = int8_t;
  using Vector = __m256i;
  static constexpr int kWidth = 32;
  static Vector least() { return _mm256_set1_epi8(INT8_MIN); }
  static Vector load(const int8_t* p) { return _mm256_loadu_si256(static_cast<const Vector*>(static_cast<const void*>(p))); }
  static Vector all(int32_t x) { return _mm256_set1_epi32(x); }
  static Vector add(Vector a, Vector b) { return _mm256_add_epi8(a, b); }
  static Vector larger(Vector a, Vector b) { return _mm256_max_epi8(a, b); }
  static void raise(int16_t* to, Vector a, bool begins) {
    raise_half(to, _mm256_castsi256_si128(a), begins);
    raise_half(to + kWidth / 2, _mm256_extracti128_si256(a, 1), begins);
  }

 private:
  static void raise_half(int16_t* to, __m128i half, bool begins) {
    const Vector a = _mm256_cvtepi8_epi16(half), none = _mm256_cmpgt_epi16(_mm256_set1_epi16(-2 * kMostSmallExponent), a);
    Words::raise(to, _mm256_blendv_epi8(a, Words::least(), none), begins);
  }
};

}  // namespace

extern const DotKernels kDotKernels_avx2;
const DotKernels kDotKernels_avx2{.name = "avx2",
                                  .tile_rows = 6,
                                  .tile_columns = 8,
                                  .scale_all = scale_all,
                                  .add_products = add_products<Doubles, 6, 2>,
                                  .add_chunk = add_chunk<Doubles, 6, 6, 2>,
                                  .magnitude_rows = 6,
                                  .magnitude_columns = 16,
                                  .add_magnitudes = add_magnitudes<Floats, 6, 2>,
                                  .add_pairs = nullptr,
                                  .exponent_columns = 32,
                                  .raise_small_exponents = raise_exponents<Bytes, 6, 1>,
                                  .raise_exponents = raise_exponents<Words, 6, 2>,
                                  .certify = certify};

}  // namespace assay
