// Contracts by the vendor of their unit, a source each.
#include "kernels/ops/catalogue.h"

namespace assay_kernels {

std::vector<Kernel> block_gemm_of_nvidia();
std::vector<Kernel> block_gemm_of_blackwell();
std::vector<Kernel> block_gemm_of_amd();

/// "deepgemm.fp8_gemm_1d2d.sm_90" ends with it.
std::string gemm_block_scaled_chip(const std::string& contract) { return contract.substr(contract.rfind('.') + 1); }

std::vector<Kernel> gemm_block_scaled_kernels() {
  return assay::plugin::joined({block_gemm_of_nvidia(), block_gemm_of_blackwell(), block_gemm_of_amd()});
}

}  // namespace assay_kernels
