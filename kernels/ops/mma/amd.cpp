#include "kernels/ops/mma/offers.h"

namespace assay_kernels {

std::vector<Kernel> mma_of_amd() { return mma_rows<units::OfAmd>(); }

}  // namespace assay_kernels
