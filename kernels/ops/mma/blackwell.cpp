#include "kernels/ops/mma/offers.h"

namespace assay_kernels {

std::vector<Kernel> mma_of_blackwell() { return mma_rows<units::OfBlackwell>(); }

}  // namespace assay_kernels
