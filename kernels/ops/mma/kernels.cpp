// The units of each vendor, a source each.
#include "kernels/ops/catalogue.h"

namespace assay_kernels {

std::vector<Kernel> mma_of_nvidia();
std::vector<Kernel> mma_of_blackwell();
std::vector<Kernel> mma_of_amd();

std::vector<Kernel> mma_kernels() { return assay::plugin::joined({mma_of_nvidia(), mma_of_blackwell(), mma_of_amd()}); }

}  // namespace assay_kernels
