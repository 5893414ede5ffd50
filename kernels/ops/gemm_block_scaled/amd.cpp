#include "kernels/ops/gemm_block_scaled/offers.h"

namespace assay_kernels {

std::vector<Kernel> block_gemm_of_amd() {
  return block_gemm_rows<GemmList<units::OfAmd, AiterBlockscale, AiterOpusBlockscale, AiterBlockscaleBpreshuffle,
                                  AiterOpusBlockscaleBpreshuffle>>("gemm_block_scaled.amd");
}

}  // namespace assay_kernels
