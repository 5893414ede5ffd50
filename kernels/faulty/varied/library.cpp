// libassay_varied.so: faults elsewhere, two at once, mistakes that no hypothesis describes, and healthy kernels.
#include "kernels/cpu/host_library.h"
#include "kernels/faulty/varied/lists.h"

namespace {

using namespace assay_kernels;

const std::vector<Kernel>& kernels() {
  static const std::vector<Kernel> all = [] {
    std::vector<Kernel> list;
    for (const auto& part : {
#define ASSAY_VARIED(name) name(),
#include "kernels/faulty/varied/varied.inc"
#undef ASSAY_VARIED
         })
      list.insert(list.end(), part.begin(), part.end());
    return list;
  }();
  return all;
}

const char* describe() {
  static const std::string text = assay_kernels::describe(
      {"assay_varied", "cpu", "SIMT on fibers, 32 or 64 lanes; faults elsewhere, two at once, and healthy", "", ""}, kernels());
  return text.c_str();
}

assay_status run(const assay_call* call) { return assay_kernels::run(kernels(), call); }

}  // namespace

extern "C" __attribute__((visibility("default"))) const assay_library* assay_get_library(void) {
  static const assay_library library = assay_kernels::host_library(describe, run);
  return &library;
}
