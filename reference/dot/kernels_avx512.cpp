#include <immintrin.h>

#include "reference/dot/dot_kernel_loops.h"

namespace assay {
namespace {

struct Doubles {
  using Number = double;
  using Vector = __m512d;
  static constexpr int kWidth = 8;
  static Vector zero() { return _mm512_setzero_pd(); }
  static Vector load(const double* p) { return _mm512_loadu_pd(p); }
  static Vector all(double x) { return _mm512_set1_pd(x); }
  static Vector multiply_add(Vector a, Vector b, Vector sum) { return _mm512_fmadd_pd(a, b, sum); }
  static Vector add(Vector a, Vector b) { return _mm512_add_pd(a, b); }
  /// The larger of |a| and |b|.
  static Vector larger_magnitude(Vector a, Vector b) { return _mm512_range_pd(a, b, 0b1011); }
  static Vector larger(Vector a, Vector b) { return _mm512_maskz_max_pd(0xff, a, b); }
  static void store(double* p, Vector a) { _mm512_storeu_pd(p, a); }
  /// The largest power of two that is not above a; a is a magnitude.
  static Vector power_below(Vector a) { return _mm512_and_pd(a, _mm512_castsi512_pd(_mm512_set1_epi64(0x7ff0000000000000))); }
  /// 2^exponent for each exponent; 0 for kNoDotExponent.
  static Vector power_of(const int16_t* exponents) {
    const __m128i words = _mm_loadu_si128(static_cast<const __m128i*>(static_cast<const void*>(exponents)));
    const __m512i e = _mm512_maskz_cvtepi16_epi64(0xff, words), field = _mm512_add_epi64(e, _mm512_set1_epi64(1023));
    return _mm512_castsi512_pd(_mm512_maskz_slli_epi64(_mm_cmpgt_epi16_mask(words, _mm_set1_epi16(-kPowers)), field, 52));
  }
};

struct Floats {
  using Number = float;
  using Vector = __m512;
  static constexpr int kWidth = 16;
  static Vector zero() { return _mm512_setzero_ps(); }
  static Vector load(const float* p) { return _mm512_loadu_ps(p); }
  static Vector all(float x) { return _mm512_set1_ps(x); }
  static Vector multiply_add(Vector a, Vector b, Vector sum) { return _mm512_fmadd_ps(a, b, sum); }
  static void store(float* p, Vector a) { _mm512_storeu_ps(p, a); }
};

struct Words {
  using Number = int16_t;
  using Vector = __m512i;
  static constexpr int kWidth = 32;
  static Vector least() { return _mm512_set1_epi16(INT16_MIN); }
  static Vector load(const int16_t* p) { return _mm512_loadu_si512(p); }
  static Vector all(int32_t x) { return _mm512_set1_epi32(x); }
  static Vector add(Vector a, Vector b) { return _mm512_add_epi16(a, b); }
  static Vector larger(Vector a, Vector b) { return _mm512_max_epi16(a, b); }
  static void raise(int16_t* to, Vector a, bool begins) { _mm512_storeu_si512(to, begins ? a : larger(load(to), a)); }
};

struct Bytes {
  using Number = int8_t;
  using Vector = __m512i;
  static constexpr int kWidth = 64;
  static Vector least() { return _mm512_set1_epi8(INT8_MIN); }
  static Vector load(const int8_t* p) { return _mm512_loadu_si512(p); }
  static Vector all(int32_t x) { return _mm512_set1_epi32(x); }
  static Vector add(Vector a, Vector b) { return _mm512_add_epi8(a, b); }
  static Vector larger(Vector a, Vector b) { return _mm512_max_epi8(a, b); }
  static void raise(int16_t* to, Vector a, bool begins) {
    raise_half(to, _mm512_maskz_extracti64x4_epi64(0xf, a, 0), begins);
    raise_half(to + kWidth / 2, _mm512_maskz_extracti64x4_epi64(0xf, a, 1), begins);
  }

 private:
  static void raise_half(int16_t* to, __m256i half, bool begins) {
    const Vector a = _mm512_maskz_cvtepi8_epi16(~__mmask32{0}, half);
    const __mmask32 none = _mm512_cmplt_epi16_mask(a, _mm512_set1_epi16(-2 * kMostSmallExponent));
    Words::raise(to, _mm512_mask_mov_epi16(a, none, Words::least()), begins);
  }
};

}  // namespace

extern const DotKernels kDotKernels_avx512;
const DotKernels kDotKernels_avx512{.name = "avx512",
                                    .tile_rows = 8,
                                    .tile_columns = 24,
                                    .scale_all = scale_all,
                                    .add_products = add_products<Doubles, 8, 3>,
                                    .add_chunk = add_chunk<Doubles, 8, 4, 3>,
                                    .magnitude_rows = 8,
                                    .magnitude_columns = 48,
                                    .add_magnitudes = add_magnitudes<Floats, 8, 3>,
                                    .add_pairs = nullptr,
                                    .exponent_columns = 64,
                                    .raise_small_exponents = raise_exponents<Bytes, 8, 1>,
                                    .raise_exponents = raise_exponents<Words, 8, 2>,
                                    .certify = certify};

}  // namespace assay
