// The kernel table of mma, which describe() of the C ABI lists, grouped by the vendor of the tensor core. The build checks that each instruction that is
// not emulated occurs in the cubins of this file.
#include "kernels/ops/call.h"
#include "kernels/ops/gemm/mma_kernel.h"

namespace assay_kernels {

/// the contract's name starts with the architecture: "sm_90.mma.f16.f32"
std::string mma_chip(const std::string& contract) { return contract.substr(0, contract.find('.')); }

std::vector<Kernel> mma_kernels() { return assay::plugin::joined({mma_rows<units::OfNvidia>(), mma_rows<units::OfBlackwell>(), mma_rows<units::OfAmd>()}); }

}  // namespace assay_kernels
