#include "kernels/ops/gemm_scaled/nvidia_rules.h"
#include "kernels/ops/gemm_scaled/offers.h"

namespace assay_kernels {
namespace {

using OneTensor = GemmList<units::OfNvidia, TorchTensorFast, TorchTensor, TorchTensorFastE5m2E4m3, TorchTensorE4m3E5m2,
                           TorchTensorSm89, UnknownTensor>;
using Others = GemmList<units::OfNvidia, TorchRowFast, TorchRow, CutlassRow, VllmScaledMm, VllmScaledMmSwapAb, VllmScaledMmInt8,
                        VllmScaledMmAzp, VllmScaledMmAzpPerToken, VllmTritonScaledMm, VllmTritonScaledMm32, TritonDotAdded,
                        TritonDotImprecise0, UnknownRow>;

}  // namespace

std::vector<Kernel> gemm_scaled_of_nvidia() {
  return assay::plugin::joined({gemm_rows<OneTensor>("gemm_scaled.tensor"), gemm_rows<OneTensor, 2>("gemm_scaled.split_k"),
                                gemm_rows<Others>("gemm_scaled")});
}

}  // namespace assay_kernels
