// libassay_cpu.so: runs Assay's kernels on the CPU, each GPU thread as a fiber, with 32 or 64 lanes per warp. Uses host memory.
#include "assay/plugin/library.hpp"

#include "kernels/ops/call.h"

extern "C" __attribute__((visibility("default"))) const assay_library* assay_get_library(void) {
  return assay::plugin::HostLibrary<assay_kernels::Call>::of(
      {{"assay_cpu", "cpu", "the CPU, with warps of 32 or 64 lanes", "", "", true}, assay_kernels::all_kernels()});
}
