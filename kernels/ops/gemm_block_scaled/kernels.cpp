// Contracts by the vendor of their unit, a source each.
#include "kernels/gemm/lists.h"
#include "kernels/ops/catalogue.h"

namespace assay_kernels {

std::vector<Kernel> block_gemm_of_nvidia();
std::vector<Kernel> block_gemm_of_blackwell();
std::vector<Kernel> block_gemm_of_amd();

std::string gemm_block_scaled_chip(const std::string& contract) { return chip_at_end(contract); }

std::vector<Kernel> gemm_block_scaled_kernels() {
  return assay::plugin::joined({block_gemm_of_nvidia(), block_gemm_of_blackwell(), block_gemm_of_amd()});
}

}  // namespace assay_kernels
