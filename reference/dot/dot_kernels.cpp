// Chooses the loops of exact GEMMs for this processor.
#include "reference/dot/dot_kernels.h"

#include <cstdlib>
#include <stdexcept>
#include <string>

namespace assay {

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
                               "'; expected avx512, avx2 or scalar, as far as this processor supports it");
    }
    for (const char* name : {"avx512", "avx2"})
      if (const DotKernels* found = dot_kernels_named(name)) return found;
    return &kDotKernels_scalar;
  }();
  return *chosen;
}

}  // namespace assay
