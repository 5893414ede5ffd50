#include "kernels/ops/gemm_block_scaled/offers.h"

namespace assay_kernels {

std::vector<Kernel> block_gemm_of_blackwell() {
  return block_gemm_rows<GemmList<units::OfBlackwell, VllmBlockwiseSm100, VllmBlockwiseSm120, DeepGemmPacked, TorchMx, TorchMxSm120>>("gemm_block_scaled.blackwell");
}

}  // namespace assay_kernels
