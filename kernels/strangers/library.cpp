// libassay_strangers.so: kernels in plain loops, written from the contracts' text alone, without looking at the mutants. Each has
// a correct version, and versions with one mistake that real kernels had. suites/catches/strangers.csv lists which cases detect
// the mistakes.
#include "assay/plugin/library.hpp"

#include "kernels/strangers/numbers.h"

namespace assay_strangers {

#define ASSAY_STRANGERS(family) std::vector<Kernel> family##_kernels();
#include "kernels/strangers/strangers.inc"
#undef ASSAY_STRANGERS

std::vector<Kernel> all_kernels() {
  return assay::plugin::joined({
#define ASSAY_STRANGERS(family) family##_kernels(),
#include "kernels/strangers/strangers.inc"
#undef ASSAY_STRANGERS
  });
}

}  // namespace assay_strangers

extern "C" __attribute__((visibility("default"))) const assay_library* assay_get_library(void) {
  return assay::plugin::HostLibrary<assay::plugin::Call>::of(
      {{"assay_strangers", "cpu", "plain loops, one thread", "", ""}, assay_strangers::all_kernels()});
}
