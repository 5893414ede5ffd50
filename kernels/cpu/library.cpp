// libassay_cpu.so: every kernel on fibers, with 32 or 64 lanes. It works on host memory.
#include "kernels/cpu/host_library.h"
#include "kernels/ops/catalogue.h"

namespace {

const std::vector<assay_kernels::Kernel>& kernels() {
  static const auto all = assay_kernels::all_kernels();
  return all;
}

const char* describe() {
  static const std::string text =
      assay_kernels::describe({"assay_cpu", "cpu", "SIMT on fibers, 32 or 64 lanes", "", ""}, kernels());
  return text.c_str();
}

assay_status run(const assay_call* call) { return assay_kernels::run(kernels(), call); }

}  // namespace

extern "C" __attribute__((visibility("default"))) const assay_library* assay_get_library(void) {
  static const assay_library library = assay_kernels::host_library(describe, run);
  return &library;
}
