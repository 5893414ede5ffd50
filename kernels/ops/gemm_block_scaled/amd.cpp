#include "kernels/ops/gemm_block_scaled/offers.h"

namespace assay_kernels {
namespace {

/// On the CPU a candidate of gfx950's unit, on the chip that unit.
template <class U>
std::vector<Kernel> block_gemm_of_gfx950(const char* name) {
  return block_gemm_rows<GemmList<units::UnknownOfAmd, AiterBlockscaleGfx950<U>, AiterBlockscaleBpreshuffleGfx950<U>>>(name);
}

using SplitGfx942 = GemmList<units::OfAmd, AiterBlockscaleSplitK>;
/// On the CPU one candidate.
using SplitGfx950 = GemmList<units::UnknownOfAmd, AiterBlockscaleSplitKGfx950<units::Gfx950MfmaE4m3AsGfx942>>;

}  // namespace

std::vector<Kernel> block_gemm_of_amd() {
  return assay::plugin::joined(
      {block_gemm_rows<GemmList<units::OfAmd, AiterBlockscale, AiterOpusBlockscale, AiterBlockscaleBpreshuffle,
                                AiterOpusBlockscaleBpreshuffle>>("gemm_block_scaled.amd"),
       block_gemm_rows<SplitGfx942, 2>("gemm_block_scaled.two_results"),
       block_gemm_rows<SplitGfx950, 2>("gemm_block_scaled.two_results.as_gfx942"),
       block_gemm_of_gfx950<units::Gfx950MfmaE4m3F32>("gemm_block_scaled.amd.gfx950"),
       block_gemm_of_gfx950<units::Gfx950MfmaE4m3AsGfx942>("gemm_block_scaled.amd.as_gfx942"),
       block_gemm_of_gfx950<units::Gfx950MfmaE4m3OneRounding>("gemm_block_scaled.amd.one_rounding"),
       block_gemm_of_gfx950<units::Gfx950MfmaE4m3EachProduct>("gemm_block_scaled.amd.each_product")});
}

}  // namespace assay_kernels
