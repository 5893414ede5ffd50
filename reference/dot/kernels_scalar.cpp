#include "reference/dot/kernel_loops.h"

namespace assay {
namespace {

/// One number at a time. A product and a sum are two roundings here; what is said of their error counts both.
template <class T>
struct Single {
  using Number = T;
  using Vector = T;
  static constexpr int kWidth = 1;
  static T zero() { return 0; }
  static T load(const T* p) { return *p; }
  static T all(T x) { return x; }
  static T multiply_add(T a, T b, T sum) { return T(sum + a * b); }
  static T add(T a, T b) { return T(a + b); }
  static T magnitude(T a) { return a < 0 ? -a : a; }
  static T larger(T a, T b) { return a > b ? a : b; }
  static void store(T* p, T a) { *p = a; }
  static double power_below(double a) { return quantum(a, 0, 1); }
  static double power_of(const int16_t* exponent) { return *exponent <= -kPowers ? 0.0 : assay::power_of(*exponent); }
};

}  // namespace

extern const DotKernels kDotKernels_scalar;
const DotKernels kDotKernels_scalar{.name = "scalar",
                                    .tile_rows = 4,
                                    .tile_columns = 4,
                                    .scale_all = scale_all,
                                    .add_products = add_products<Single<double>, 4, 4>,
                                    .add_products_in_steps = add_products_in_steps<Single<double>, 4, 4>,
                                    .magnitude_rows = 4,
                                    .magnitude_columns = 4,
                                    .add_magnitudes = add_magnitudes<Single<float>, 4, 4>,
                                    .exponent_rows = 4,
                                    .exponent_columns = 4,
                                    .raise_exponents = raise_exponents<Single<int16_t>, 4, 4>,
                                    .close_chunk = close_chunk<Single<double>, 4, 4>,
                                    .certify = certify};

}  // namespace assay
