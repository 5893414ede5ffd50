// The loops of exact GEMMs without vector instructions, and the choice of loops for this processor.
#include "reference/dot/dot_kernels.h"

#include <cstdlib>
#include <stdexcept>
#include <string>

#include "reference/dot/dot_kernel_loops.h"

namespace assay {
namespace {

/// One number at a time. Product and sum are rounded separately here; the documented errors allow that.
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
  static T larger(T a, T b) { return a > b ? a : b; }
  /// The larger of a and |b|; a is a magnitude.
  static T larger_magnitude(T a, T b) { return larger(a, b < 0 ? -b : b); }
  static void store(T* p, T a) { *p = a; }
  static double power_below(double a) { return quantum(a, 0, 1); }
  static double power_of(const int16_t* exponent) { return *exponent <= -kPowers ? 0.0 : assay::power_of(*exponent); }
};

/// One exponent of type T at a time.
template <class T>
struct SingleExponent {
  using Number = T;
  using Vector = int;
  static constexpr int kWidth = 1;
  static int least() { return INT16_MIN; }
  static int load(const T* p) { return *p; }
  static int all(int32_t x) { return T(x); }
  static int add(int a, int b) { return a + b; }
  static int larger(int a, int b) { return a > b ? a : b; }
  static void raise(int16_t* to, int a, bool begins) {
    const bool none = a < (sizeof(T) == 1 ? -2 * kMostSmallExponent : least());
    const auto raised = int16_t(none ? least() : a);
    *to = begins || raised > *to ? raised : *to;
  }
};

}  // namespace

extern const DotKernels kDotKernels_scalar;
const DotKernels kDotKernels_scalar{.name = "scalar",
                                    .tile_rows = 4,
                                    .tile_columns = 4,
                                    .scale_all = scale_all,
                                    .add_products = add_products<Single<double>, 4, 4>,
                                    .add_chunk = add_chunk<Single<double>, 4, 2, 4>,
                                    .magnitude_rows = 4,
                                    .magnitude_columns = 4,
                                    .add_magnitudes = add_magnitudes<Single<float>, 4, 4>,
                                    .add_pairs = nullptr,
                                    .exponent_columns = 8,
                                    .raise_small_exponents = raise_exponents<SingleExponent<int8_t>, 4, 8>,
                                    .raise_exponents = raise_exponents<SingleExponent<int16_t>, 4, 8>,
                                    .certify = certify};

extern const DotKernels kDotKernels_scalar;
#if defined(__x86_64__)
extern const DotKernels kDotKernels_avx2;
extern const DotKernels kDotKernels_avx512;
void add_pairs_avx512bf16(const PairBlock& block);

namespace {

DotKernels of_avx512() {
  DotKernels kernels = kDotKernels_avx512;
  if (__builtin_cpu_supports("avx512bf16")) kernels.add_pairs = add_pairs_avx512bf16;
  return kernels;
}

bool has_avx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl");
}

}  // namespace
#endif

const DotKernels* dot_kernels_named(std::string_view name) {
  if (name == "scalar") return &kDotKernels_scalar;
#if defined(__x86_64__)
  if (name == "avx2" && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return &kDotKernels_avx2;
  if (name == "avx512" && has_avx512()) {
    static const DotKernels kernels = of_avx512();
    return &kernels;
  }
#endif
  return nullptr;
}

const DotKernels& dot_kernels() {
  static const DotKernels* const chosen = [] {
    if (const char* asked = std::getenv("ASSAY_ISA")) {
      if (const DotKernels* found = dot_kernels_named(asked)) return found;
      throw std::runtime_error("ASSAY_ISA is '" + std::string(asked) +
                               "'; expected scalar, or avx2 or avx512 if this processor supports it");
    }
    for (const char* name : {"avx512", "avx2"})
      if (const DotKernels* found = dot_kernels_named(name)) return found;
    return &kDotKernels_scalar;
  }();
  return *chosen;
}

}  // namespace assay
