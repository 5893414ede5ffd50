#include "kernels/ops/gemm_scaled/offers.h"

namespace assay_kernels {

std::vector<Kernel> gemm_scaled_of_amd() { return gemm_rows<GemmList<units::OfAmd, AiterGemmA8w8Fnuz, AiterBpreshuffle, UnknownRowGfx942>>("gemm_scaled.amd"); }

}  // namespace assay_kernels
