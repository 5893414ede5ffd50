#include "kernels/ops/mma/offers.h"

namespace assay_kernels {

std::vector<Kernel> mma_of_nvidia() { return mma_rows<units::OfNvidia>(); }

}  // namespace assay_kernels
