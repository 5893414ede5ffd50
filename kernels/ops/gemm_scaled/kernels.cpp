// Contracts by the vendor of their unit, a source each.
#include "kernels/gemm/lists.h"
#include "kernels/ops/catalogue.h"

namespace assay_kernels {

std::vector<Kernel> gemm_scaled_of_nvidia();
std::vector<Kernel> gemm_scaled_of_blackwell();
std::vector<Kernel> gemm_scaled_of_amd();

std::string gemm_scaled_chip(const std::string& contract) { return chip_at_end(contract); }

std::vector<Kernel> gemm_scaled_kernels() {
  return assay::plugin::joined({gemm_scaled_of_nvidia(), gemm_scaled_of_blackwell(), gemm_scaled_of_amd()});
}

}  // namespace assay_kernels
