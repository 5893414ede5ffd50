// The kernel table of gemm_scaled, which describe() of the C ABI lists, grouped by the vendor of the tensor core.
#include "kernels/ops/call.h"
#include "kernels/ops/gemm/gemm_common.h"
#include "kernels/ops/gemm/gemm_scaled_kernel.h"
#include "kernels/ops/gemm/gemm_scaled_rules.h"

namespace assay_kernels {
namespace {

using OneTensor = GemmList<units::OfNvidia, TorchTensorFast, TorchTensor, TorchTensorFastE5m2E4m3, TorchTensorE4m3E5m2,
                           TorchTensorSm89, UnknownTensor>;
using Others = GemmList<units::OfNvidia, TorchRowFast, TorchRow, CutlassRow, VllmScaledMm, VllmScaledMmSwapAb, VllmScaledMmInt8,
                        VllmScaledMmAzp, VllmScaledMmAzpPerToken, VllmTritonScaledMm, VllmTritonScaledMm32, TritonDotAdded,
                        TritonDotImprecise0, UnknownRow>;

std::vector<Kernel> gemm_scaled_of_nvidia() {
  return assay::plugin::joined({gemm_rows<OneTensor>("gemm_scaled.tensor"), gemm_rows<OneTensor, 2>("gemm_scaled.split_k"),
                                gemm_rows<Others>("gemm_scaled")});
}

std::vector<Kernel> gemm_scaled_of_blackwell() {
  return gemm_rows<GemmList<units::OfBlackwell, TorchTensorSm100, TorchTensorSm120, TorchRowSm100>>("gemm_scaled.blackwell");
}

using Plain =
    GemmList<units::OfAmd, AiterGemmA8w8Fnuz, AiterGemmA8w8Int8, AiterGemmA8w8Int8Gfx950, AiterBpreshuffle, UnknownRowGfx942>;
using Split = GemmList<units::OfAmd, AiterSplitK, AiterBpreshuffleSplitK>;

/// U: on the CPU, a candidate model of gfx950's tensor core; on the GPU, the real instruction.
template <class U>
std::vector<Kernel> gemm_of_gfx950(const std::string& name) {
  using Plain = GemmList<units::UnknownOfAmd, AiterGemmA8w8Gfx950<U>, AiterBpreshuffleGfx950<U>, UnknownRowGfx950<U>>;
  using Split = GemmList<units::UnknownOfAmd, AiterSplitKGfx950<U>, AiterBpreshuffleSplitKGfx950<U>>;
  return assay::plugin::joined(
      {gemm_rows<Plain>("gemm_scaled.amd." + name), gemm_rows<Split, 2>("gemm_scaled.two_results." + name)});
}

std::vector<Kernel> gemm_scaled_of_amd() {
  return assay::plugin::joined({gemm_rows<Plain>("gemm_scaled.amd"), gemm_rows<Split, 2>("gemm_scaled.two_results"),
                                gemm_rows<Split, 4>("gemm_scaled.four_results"),
                                gemm_of_gfx950<units::Gfx950MfmaE4m3F32>("gfx950"),
                                gemm_of_gfx950<units::Gfx950MfmaE4m3AsGfx942>("as_gfx942"),
                                gemm_of_gfx950<units::Gfx950MfmaE4m3OneRounding>("one_rounding"),
                                gemm_of_gfx950<units::Gfx950MfmaE4m3EachProduct>("each_product")});
}

}  // namespace

std::string gemm_scaled_chip(const std::string& contract) { return chip_at_end(contract); }

std::vector<Kernel> gemm_scaled_kernels() {
  return assay::plugin::joined({gemm_scaled_of_nvidia(), gemm_scaled_of_blackwell(), gemm_scaled_of_amd()});
}

}  // namespace assay_kernels
