// A GEMM with 32-bit offsets into a. It is correct whenever a is smaller than 2 GiB, so no suite of small cases detects it.
// Reports of such offsets: flashinfer 2642, 2853, 3743; aiter 2104, 2196, 2373, 4343; deepgemm 226.
#include "assay/plugin/library.hpp"

#include "kernels/ops/call.h"
#include "kernels/ops/gemm/gemm_scaled_kernel.h"
#include "kernels/ops/gemm/gemm_scaled_rules.h"

namespace assay_kernels {
namespace {

struct Offset32 : VllmScaledMm {
  SIMT_DEVICE static int64_t byte_of_a(int64_t row, int64_t k, int64_t pitch) {
    return int32_t(uint32_t(row) * uint32_t(pitch)) + k;
  }
};

std::vector<Kernel> kernels() {
  return {
      {"offset_32", "gemm_scaled", {Offset32::kContract}, {{"y", kAny}, {"warp", simt::kWarpSizes}}, {}, run_gemm<Offset32, 1>}};
}

}  // namespace
}  // namespace assay_kernels

extern "C" __attribute__((visibility("default"))) const assay_library* assay_get_library(void) {
  return assay::plugin::HostLibrary<assay_kernels::Call>::of(
      {{"assay_offsets", "cpu", "a product with offsets of 32 bits", "", "", true}, assay_kernels::kernels()});
}
