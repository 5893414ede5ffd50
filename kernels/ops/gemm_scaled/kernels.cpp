// Contracts by the vendor of their unit, a source each.
#include "kernels/ops/catalogue.h"

namespace assay_kernels {

std::vector<Kernel> gemm_scaled_of_nvidia();
std::vector<Kernel> gemm_scaled_of_blackwell();
std::vector<Kernel> gemm_scaled_of_amd();

/// "torch.scaled_mm_row.sm_90" ends with it.
std::string gemm_scaled_chip(const std::string& contract) { return contract.substr(contract.rfind('.') + 1); }

std::vector<Kernel> gemm_scaled_kernels() {
  return assay::plugin::joined({gemm_scaled_of_nvidia(), gemm_scaled_of_blackwell(), gemm_scaled_of_amd()});
}

}  // namespace assay_kernels
