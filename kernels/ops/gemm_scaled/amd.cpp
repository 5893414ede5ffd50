#include "kernels/ops/gemm_scaled/offers.h"

namespace assay_kernels {
namespace {

using Plain = GemmList<units::OfAmd, AiterGemmA8w8Fnuz, AiterBpreshuffle, UnknownRowGfx942>;
using Split = GemmList<units::OfAmd, AiterSplitK, AiterBpreshuffleSplitK>;

}  // namespace

std::vector<Kernel> gemm_scaled_of_amd() {
  return assay::plugin::joined({gemm_rows<Plain>("gemm_scaled.amd"), gemm_rows<Split, 2>("gemm_scaled.two_results"),
                                gemm_rows<Split, 4>("gemm_scaled.four_results")});
}

}  // namespace assay_kernels
