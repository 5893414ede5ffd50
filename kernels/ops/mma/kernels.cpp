// The units of each vendor, a source each.
#include "kernels/ops/catalogue.h"

namespace assay_kernels {

std::vector<Kernel> mma_of_nvidia();
std::vector<Kernel> mma_of_blackwell();
std::vector<Kernel> mma_of_amd();

/// "sm_90.mma.f16.f32" begins with it.
std::string mma_chip(const std::string& contract) { return contract.substr(0, contract.find('.')); }

std::vector<Kernel> mma_kernels() { return assay::plugin::joined({mma_of_nvidia(), mma_of_blackwell(), mma_of_amd()}); }

}  // namespace assay_kernels
