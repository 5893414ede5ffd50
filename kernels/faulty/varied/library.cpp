// libassay_varied.so: faults elsewhere, two at once, mistakes that no hypothesis describes, and healthy kernels.
#include "assay/plugin/library.hpp"

#include "kernels/ops/catalogue.h"

namespace assay_kernels {

#define ASSAY_VARIED(part) std::vector<Kernel> part();
#include "kernels/faulty/varied/varied.inc"
#undef ASSAY_VARIED

std::vector<Kernel> all_kernels() {
  return assay::plugin::joined({
#define ASSAY_VARIED(part) part(),
#include "kernels/faulty/varied/varied.inc"
#undef ASSAY_VARIED
  });
}

}  // namespace assay_kernels

extern "C" __attribute__((visibility("default"))) const assay_library* assay_get_library(void) {
  return assay::plugin::HostLibrary<assay_kernels::Call>::of(
      {{"assay_varied", "cpu", "SIMT on fibers, 32 or 64 lanes; faults elsewhere, two at once, and healthy", "", "", true},
       assay_kernels::all_kernels()});
}
