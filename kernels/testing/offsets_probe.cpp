// A GEMM whose offsets into a have 32 bits: right in every case whose a is smaller than 2 GiB, so that no suite of small cases
// shows it. flashinfer 2642, 2853, 3743, aiter 2104, 2196, 2373, 4343 and deepgemm 226 are of such offsets.
#include "assay/plugin/library.hpp"

#include "kernels/ops/call.h"
#include "kernels/ops/gemm/gemm_scaled_kernel.h"
#include "kernels/ops/gemm/gemm_scaled_rules.h"

namespace assay_kernels {
namespace {

struct Offset32 : VllmScaledMm {
  SIMT_DEVICE static int64_t byte_of_a(int64_t row, int64_t k, int64_t pitch) { return int32_t(uint32_t(row) * uint32_t(pitch)) + k; }
};

std::vector<Kernel> kernels() {
  return {{"offset_32", "gemm_scaled", {Offset32::kContract}, {{"y", kAny}, {"warp", simt::kWarpSizes}}, {}, run_gemm<Offset32, 1>}};
}

}  // namespace
}  // namespace assay_kernels

extern "C" __attribute__((visibility("default"))) const assay_library* assay_get_library(void) {
  return assay::plugin::HostLibrary<assay_kernels::Call>::of(
      {{"assay_offsets", "cpu", "a product with offsets of 32 bits", "", "", true}, assay_kernels::kernels()});
}
