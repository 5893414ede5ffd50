// The kernels of gemm_grouped, as describe() lists them: one for each way in which rows belong to experts.
#include "kernels/ops/call.h"
#include "kernels/ops/gemm/gemm_common.h"
#include "kernels/ops/gemm/gemm_grouped_kernel.h"

namespace assay_kernels {

std::string gemm_grouped_chip(const std::string& contract) { return chip_at_end(contract); }

std::vector<Kernel> gemm_grouped_kernels() {
  return assay::plugin::joined({grouped_gemm_rows<GemmList<units::OfNvidia, DeepGemmContiguous>>("gemm_grouped.by_index"),
                                grouped_gemm_rows<GemmList<units::OfNvidia, DeepGemmMasked>>("gemm_grouped.masked")});
}

}  // namespace assay_kernels
