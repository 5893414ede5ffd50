// libassay_faulty.so: deliberately wrong kernels on the CPU. The *_faults files define how each differs from its correct
// counterpart.
#include "assay/plugin/library.hpp"

#include "kernels/ops/call.h"

namespace assay_kernels {

#define ASSAY_FAULTS(family) std::vector<Kernel> family##_faults();
#include "kernels/faulty/faults.inc"
#undef ASSAY_FAULTS

std::vector<Kernel> all_kernels() {
  return assay::plugin::joined({
#define ASSAY_FAULTS(family) family##_faults(),
#include "kernels/faulty/faults.inc"
#undef ASSAY_FAULTS
  });
}

}  // namespace assay_kernels

extern "C" __attribute__((visibility("default"))) const assay_library* assay_get_library(void) {
  return assay::plugin::HostLibrary<assay_kernels::Call>::of(
      {{"assay_faulty", "cpu", "wrong kernels that run on the CPU, with warps of 32 or 64 lanes", "", "", true}, assay_kernels::all_kernels()});
}
