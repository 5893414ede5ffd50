// The kernels of mma, as describe() lists them, by the vendor of the tensor core. Its cubins show that each unit's instruction is used.
#include "kernels/ops/call.h"
#include "kernels/ops/gemm/mma_kernel.h"

namespace assay_kernels {

/// "sm_90.mma.f16.f32" begins with it.
std::string mma_chip(const std::string& contract) { return contract.substr(0, contract.find('.')); }

std::vector<Kernel> mma_kernels() { return assay::plugin::joined({mma_rows<units::OfNvidia>(), mma_rows<units::OfBlackwell>(), mma_rows<units::OfAmd>()}); }

}  // namespace assay_kernels
