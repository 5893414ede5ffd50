// The kernel table of gemm_grouped and fused_moe, which describe() of the C ABI lists. Kernels of gemm_grouped differ in how calls assign rows to experts.
#include "kernels/ops/call.h"
#include "kernels/ops/gemm/gemm_common.h"
#include "kernels/ops/gemm/gemm_grouped_kernel.h"

namespace assay_kernels {

std::string gemm_grouped_chip(const std::string& contract) { return chip_at_end(contract); }

std::vector<Kernel> gemm_grouped_kernels() {
  using Offsets = GemmList<units::OfNvidia, VllmMoeMm, VllmMoeMmSwapAb, TorchGroupedMmFast>;
  using Masked = GemmList<units::OfAmd, AiterDeepGemm>;
  using Ends = GemmList<units::OfNvidia, DeepGemmPsum>;
  using EndsOfBlackwell = GemmList<units::OfBlackwell, DeepGemmPsumPacked, FlashinferGroupwise, FlashinferGroupwiseSm120, FlashinferMxMoe128, FlashinferMxMoe32>;
  using AlongK = GemmList<units::OfNvidia, DeepGemmKGrouped>;
  using Mx = GemmList<units::OfBlackwell, VllmMxGrouped>;
  using Fp4 = GemmList<units::OfBlackwell, VllmNvfp4Grouped, VllmNvfp4GroupedSm120, VllmMxfp4Grouped>;
  return assay::plugin::joined({grouped_gemm_rows<GemmList<units::OfNvidia, DeepGemmContiguous>>("gemm_grouped.by_index"),
                                grouped_gemm_rows<GemmList<units::OfNvidia, DeepGemmMasked>>("gemm_grouped.masked"),
                                grouped_gemm_rows<GemmList<units::OfBlackwell, DeepGemmContiguousPacked>>("gemm_grouped.packed_by_index"),
                                grouped_gemm_rows<GemmList<units::OfBlackwell, DeepGemmMaskedPacked>>("gemm_grouped.packed_masked"),
                                grouped_gemm_rows<Ends>("gemm_grouped.at_ends", run_blocks_at_ends_by_contract<Ends>),
                                grouped_gemm_rows<EndsOfBlackwell>("gemm_grouped.blackwell_at_ends", run_blocks_at_ends_by_contract<EndsOfBlackwell>),
                                grouped_gemm_rows<AlongK>("gemm_grouped.along_k", run_k_grouped_by_contract<AlongK>),
                                grouped_gemm_rows<Masked>("gemm_grouped.amd_masked", run_offset_gemm_by_contract<Masked>),
                                grouped_gemm_rows<Offsets>("gemm_grouped.at_offsets", run_offset_gemm_by_contract<Offsets>),
                                grouped_gemm_rows<Mx>("gemm_grouped.mx_at_offsets", run_offset_mx_by_contract<Mx>),
                                grouped_gemm_rows<Fp4>("gemm_grouped.fp4_at_offsets", run_offset_mx_by_contract<Fp4>)});
}

std::string fused_moe_chip(const std::string& contract) { return chip_at_end(contract); }

std::vector<Kernel> fused_moe_kernels() {
  using OfBlocks = GemmList<units::OfNvidia, VllmMoeBlock, VllmMoeBlockK64, VllmMoeBlockM16, VllmMoeBlockM16K64, VllmMoeBlockSwapAb, VllmMoeBlockCastFirst,
                            VllmMoeBlockSm89, SglangMoeBlock, SglangMoeBlockM16>;
  using OfRows = GemmList<units::OfNvidia, VllmMoeChannel, VllmMoeChannelM16, VllmMoeChannelSm89, VllmMoeInt8, VllmMoeChannelBefore, VllmMoeChannelM16Before,
                          VllmMoeInt8Before, SglangMoeChannel, SglangMoeInt8>;
  return assay::plugin::joined({fused_moe_rows<OfBlocks>("fused_moe.block"), fused_moe_rows<OfRows>("fused_moe.channel"),
                                fused_moe_rows<GemmList<units::OfBlackwell, VllmMoeBlockSm100, VllmMoeChannelSm100>>("fused_moe.blackwell"),
                                fused_moe_rows<GemmList<units::OfAmd, VllmMoeInt8Gfx942, VllmMoeInt8Gfx950>>("fused_moe.amd")});
}

}  // namespace assay_kernels
