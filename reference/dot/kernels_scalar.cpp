#include "reference/dot/kernel_loops.h"

namespace assay {
namespace {

/// A product and a sum are two roundings here; a certificate counts both.
struct Scalar {
  using Vector = double;
  static constexpr int kWidth = 1;
  static Vector zero() { return 0; }
  static Vector load(const double* p) { return *p; }
  static Vector all(double x) { return x; }
  static Vector multiply_add(Vector a, Vector b, Vector sum) { return sum + a * b; }
  static void add_to(double* p, Vector sum) { *p += sum; }
};

}  // namespace

extern const DotKernels kDotKernels_scalar;
const DotKernels kDotKernels_scalar{"scalar", 4, 4, scale_all, add_products<Scalar, 4, 4>, certify};

}  // namespace assay
