#include <immintrin.h>

#include "reference/dot/kernel_loops.h"

namespace assay {
namespace {

struct Avx2 {
  using Vector = __m256d;
  static constexpr int kWidth = 4;
  static Vector zero() { return _mm256_setzero_pd(); }
  static Vector load(const double* p) { return _mm256_loadu_pd(p); }
  static Vector all(double x) { return _mm256_set1_pd(x); }
  static Vector multiply_add(Vector a, Vector b, Vector sum) { return _mm256_fmadd_pd(a, b, sum); }
  static void add_to(double* p, Vector sum) { _mm256_storeu_pd(p, _mm256_add_pd(_mm256_loadu_pd(p), sum)); }
};

}  // namespace

extern const DotKernels kDotKernels_avx2;
const DotKernels kDotKernels_avx2{"avx2", 6, 8, scale_all, add_products<Avx2, 6, 2>, certify};

}  // namespace assay
