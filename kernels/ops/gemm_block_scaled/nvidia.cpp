#include "kernels/ops/gemm_block_scaled/offers.h"

namespace assay_kernels {
namespace {

using OfTorch = GemmList<units::OfNvidia, TorchBlock1x128Tile, TorchBlock1x128>;
using OtherBlocks = GemmList<units::OfNvidia, DeepGemm1d2d, DeepGemm1d1d, VllmBlockwise, VllmTriton, VllmTritonK64, VllmTritonK32, TritonScalesFirst, VllmTritonSm89, AssayPacked, UnknownBlocks>;

}  // namespace

std::vector<Kernel> block_gemm_of_nvidia() {
  return assay::plugin::joined({block_gemm_rows<OfTorch>("gemm_block_scaled.torch"),
                                block_gemm_rows<OfTorch, 2>("gemm_block_scaled.split_k"),
                                block_gemm_rows<OtherBlocks>("gemm_block_scaled")});
}

}  // namespace assay_kernels
