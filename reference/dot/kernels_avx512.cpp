#include <immintrin.h>

#include "reference/dot/kernel_loops.h"

namespace assay {
namespace {

struct Avx512 {
  using Vector = __m512d;
  static constexpr int kWidth = 8;
  static Vector zero() { return _mm512_setzero_pd(); }
  static Vector load(const double* p) { return _mm512_loadu_pd(p); }
  static Vector all(double x) { return _mm512_set1_pd(x); }
  static Vector multiply_add(Vector a, Vector b, Vector sum) { return _mm512_fmadd_pd(a, b, sum); }
  static void add_to(double* p, Vector sum) { _mm512_storeu_pd(p, _mm512_add_pd(_mm512_loadu_pd(p), sum)); }
};

}  // namespace

extern const DotKernels kDotKernels_avx512;
const DotKernels kDotKernels_avx512{"avx512", 8, 24, scale_all, add_products<Avx512, 8, 3>, certify};

}  // namespace assay
