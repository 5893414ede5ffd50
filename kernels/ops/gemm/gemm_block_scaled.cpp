// The kernel table of gemm_block_scaled, which describe() of the C ABI lists, grouped by the vendor of the tensor core.
#include "kernels/ops/call.h"
#include "kernels/ops/gemm/gemm_block_scaled_kernel.h"
#include "kernels/ops/gemm/gemm_common.h"

namespace assay_kernels {
namespace {

using OfTorch = GemmList<units::OfNvidia, TorchBlock1x128Tile, TorchBlock1x128>;
using OtherBlocks = GemmList<units::OfNvidia, DeepGemm1d2d, DeepGemm1d1d, VllmBlockwise, VllmTriton, VllmTritonK64, VllmTritonK32, TritonScalesFirst, VllmTritonSm89, AssayPacked, UnknownBlocks>;

std::vector<Kernel> block_gemm_of_nvidia() {
  return assay::plugin::joined({block_gemm_rows<OfTorch>("gemm_block_scaled.torch"),
                                block_gemm_rows<OfTorch, 2>("gemm_block_scaled.split_k"),
                                block_gemm_rows<OtherBlocks>("gemm_block_scaled")});
}

std::vector<Kernel> block_gemm_of_blackwell() {
  return block_gemm_rows<GemmList<units::OfBlackwell, VllmBlockwiseSm100, VllmBlockwiseSm120, DeepGemmPacked, TorchMx, TorchMxSm120>>("gemm_block_scaled.blackwell");
}

using Fp4OfBlackwell = GemmList<units::OfBlackwell, VllmNvfp4Mm, VllmNvfp4MmSm120, FlashinferNvfp4Mm, TorchNvfp4, TorchNvfp4Sm120, TorchNvfp4Block,
                                TorchNvfp4BlockSm120, TorchMxfp4, TorchaoNvfp4Mm>;

std::vector<Kernel> decoded_fp4() {
  return assay::plugin::joined(
      {block_gemm_rows<GemmList<units::OfNvidia, VllmNvfp4DecodedBf16, VllmNvfp4DecodedF16, TorchaoMxfp4Decoded>>("gemm_block_scaled.decoded"),
       block_gemm_rows<GemmList<units::OfAmd, AssayNvfp4DecodedBf16>>("gemm_block_scaled.decoded.amd")});
}

/// U: on the CPU, one candidate model of gfx950's tensor core; on the GPU, the real instruction.
template <class U>
std::vector<Kernel> block_gemm_of_gfx950(const char* name) {
  return block_gemm_rows<GemmList<units::UnknownOfAmd, AiterBlockscaleGfx950<U>, AiterBlockscaleBpreshuffleGfx950<U>>>(name);
}

template <class U>
std::vector<Kernel> mxfp4_of_gfx950(const char* name) {
  return block_gemm_rows<GemmList<units::UnknownOfAmd, AiterTritonMxfp4Gfx950<U>>>(name);
}

using SplitGfx942 = GemmList<units::OfAmd, AiterBlockscaleSplitK>;
/// Split-K for gfx950, on the CPU with one candidate model only.
using SplitGfx950 = GemmList<units::UnknownOfAmd, AiterBlockscaleSplitKGfx950<units::Gfx950MfmaE4m3AsGfx942>>;

std::vector<Kernel> block_gemm_of_amd() {
  return assay::plugin::joined(
      {block_gemm_rows<GemmList<units::OfAmd, AiterBlockscale, AiterOpusBlockscale, AiterBlockscaleBpreshuffle,
                                AiterOpusBlockscaleBpreshuffle>>("gemm_block_scaled.amd"),
       block_gemm_rows<SplitGfx942, 2>("gemm_block_scaled.two_results"),
       block_gemm_rows<SplitGfx950, 2>("gemm_block_scaled.two_results.as_gfx942"),
       block_gemm_of_gfx950<units::Gfx950MfmaE4m3F32>("gemm_block_scaled.amd.gfx950"),
       block_gemm_of_gfx950<units::Gfx950MfmaE4m3AsGfx942>("gemm_block_scaled.amd.as_gfx942"),
       block_gemm_of_gfx950<units::Gfx950MfmaE4m3OneRounding>("gemm_block_scaled.amd.one_rounding"),
       block_gemm_of_gfx950<units::Gfx950MfmaE4m3EachProduct>("gemm_block_scaled.amd.each_product"),
       mxfp4_of_gfx950<units::Gfx950MfmaMxf4F32>("gemm_block_scaled.mxfp4.gfx950"),
       mxfp4_of_gfx950<units::Gfx950MfmaMxf4AsGfx942>("gemm_block_scaled.mxfp4.as_gfx942"),
       mxfp4_of_gfx950<units::Gfx950MfmaMxf4OneRounding>("gemm_block_scaled.mxfp4.one_rounding"),
       mxfp4_of_gfx950<units::Gfx950MfmaMxf4EachProduct>("gemm_block_scaled.mxfp4.each_product")});
}

}  // namespace

std::string gemm_block_scaled_chip(const std::string& contract) { return chip_at_end(contract); }

std::vector<Kernel> gemm_block_scaled_kernels() {
  return assay::plugin::joined({block_gemm_of_nvidia(), block_gemm_of_blackwell(), block_gemm_rows<Fp4OfBlackwell>("gemm_block_scaled.fp4"),
                                decoded_fp4(),
                                block_gemm_of_amd()});
}

}  // namespace assay_kernels
