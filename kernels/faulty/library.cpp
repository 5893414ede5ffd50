// libassay_faulty.so: kernels that are wrong on purpose, on the CPU. Each differs from its twin by the rules in these headers.
#include "kernels/cpu/host_library.h"
#include "kernels/faulty/lists.h"

namespace {

using namespace assay_kernels;

const std::vector<Kernel>& kernels() {
  static const std::vector<Kernel> all = [] {
    std::vector<Kernel> list;
    for (const auto& faults :
         {group_faults, scale_faults, tile_faults, mx_faults, int8_faults, cache_faults, dsv4_faults, dsv4_norm_faults,
          indexer_faults, norm_faults, layer_faults, norm_quant_faults, silu_faults, cast_faults, rope_faults}) {
      for (Kernel& kernel : faults()) list.push_back(std::move(kernel));
    }
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
