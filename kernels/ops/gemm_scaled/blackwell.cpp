#include "kernels/ops/gemm_scaled/nvidia_rules.h"
#include "kernels/ops/gemm_scaled/offers.h"

namespace assay_kernels {

std::vector<Kernel> gemm_scaled_of_blackwell() {
  return gemm_rows<GemmList<units::OfBlackwell, TorchTensorSm100, TorchTensorSm120, TorchRowSm100>>("gemm_scaled.blackwell");
}

}  // namespace assay_kernels
