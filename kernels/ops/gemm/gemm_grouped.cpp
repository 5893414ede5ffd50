// The kernels of gemm_grouped, as describe() lists them: one for each way in which rows belong to experts.
#include "kernels/ops/call.h"
#include "kernels/ops/gemm/gemm_common.h"
#include "kernels/ops/gemm/gemm_grouped_kernel.h"

namespace assay_kernels {

std::string gemm_grouped_chip(const std::string& contract) { return chip_at_end(contract); }

std::vector<Kernel> gemm_grouped_kernels() {
  using Offsets = GemmList<units::OfNvidia, VllmMoeMm, VllmMoeMmSwapAb, TorchGroupedMmFast>;
  using Mx = GemmList<units::OfBlackwell, VllmMxGrouped>;
  using Fp4 = GemmList<units::OfBlackwell, VllmNvfp4Grouped, VllmNvfp4GroupedSm120, VllmMxfp4Grouped>;
  return assay::plugin::joined({grouped_gemm_rows<GemmList<units::OfNvidia, DeepGemmContiguous>>("gemm_grouped.by_index"),
                                grouped_gemm_rows<GemmList<units::OfNvidia, DeepGemmMasked>>("gemm_grouped.masked"),
                                grouped_gemm_rows<Offsets>("gemm_grouped.at_offsets", run_offset_gemm_by_contract<Offsets>),
                                grouped_gemm_rows<Mx>("gemm_grouped.mx_at_offsets", run_offset_mx_by_contract<Mx>),
                                grouped_gemm_rows<Fp4>("gemm_grouped.fp4_at_offsets", run_offset_mx_by_contract<Fp4>)});
}

}  // namespace assay_kernels
