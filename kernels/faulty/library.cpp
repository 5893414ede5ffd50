// libassay_faulty.so: kernels that are wrong on purpose, on the CPU. Each differs from its twin by the rules in these headers.
#include "kernels/cpu/host_library.h"
#include "kernels/faulty/lists.h"

namespace {

using namespace assay_kernels;

const std::vector<Kernel>& kernels() {
  static const std::vector<Kernel> all = [] {
    std::vector<Kernel> list;
    for (const auto& part : {
#define ASSAY_FAULTS(family) family##_faults(),
#include "kernels/faulty/faults.inc"
#undef ASSAY_FAULTS
         })
      list.insert(list.end(), part.begin(), part.end());
    return list;
  }();
  return all;
}

const char* describe() {
  static const std::string text =
      assay_kernels::describe({"assay_faulty", "cpu", "SIMT on fibers, 32 or 64 lanes; wrong on purpose", "", ""}, kernels());
  return text.c_str();
}

assay_status run(const assay_call* call) { return assay_kernels::run(kernels(), call); }

}  // namespace

extern "C" __attribute__((visibility("default"))) const assay_library* assay_get_library(void) {
  static const assay_library library = assay_kernels::host_library(describe, run);
  return &library;
}
