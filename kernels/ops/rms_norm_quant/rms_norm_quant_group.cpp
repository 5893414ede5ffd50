// The kernel table of rms_norm_quant_group, which describe() of the C ABI lists. rms_norm_quant_token.cpp has the functions that run per-token contracts.
#include "kernels/ops/call.h"
#include "kernels/ops/rms_norm_quant/rms_norm_quant_group_contracts.h"
#include "kernels/ops/rms_norm_quant/rms_norm_quant_group_kernel.h"

namespace assay_kernels {

void run_norm_block(const Call& call) {
  NormBlockList::with(call.contract(), [&](auto rules) { run_rms_norm_quant_group<decltype(rules)>(call); });
}

namespace {

/// AITER's contracts on gfx942 truncate bf16. How they round fp16 is unknown, so their kernels accept only bf16.
const Values kBf16{"bf16"};

Kernel of_groups(std::vector<std::string> contracts, const Values& groups, const Values& layouts, void (*run)(const Call&),
                 const Values& x = kHalf) {
  return {"rms_norm_quant_group",
          "rms_norm_quant_group",
          std::move(contracts),
          {{"x", x}, {"group_size", groups}, {"layout", layouts}, {"warp", simt::kWarpSizes}},
          {},
          run};
}

Kernel of_tokens(std::vector<std::string> contracts, void (*run)(const Call&), const Values& x = kHalf) {
  return {"rms_norm_quant_token",
          "rms_norm_quant_group",
          std::move(contracts),
          {{"x", x}, {"layout", {"row"}}, {"warp", simt::kWarpSizes}},
          {},
          run};
}

template <class Rules>
Kernel norm_of_fp4_blocks(const Values& group_size, const Values& layouts) {
  return {"rms_norm_quant_fp4",
          "rms_norm_quant_group",
          {Rules::kContract},
          {{"x", kHalf}, {"group_size", group_size}, {"layout", layouts}, {"warp", simt::kWarpSizes}},
          {},
          run_rms_norm_quant_fp4<Rules>};
}

template <class Rules>
Kernel norm_of_nvfp4() {
  return norm_of_fp4_blocks<Rules>({"16+tensor"}, {"ue4m3_row", "ue4m3_128x4"});
}

template <class Rules>
Kernel norm_of_mxfp4() {
  return norm_of_fp4_blocks<Rules>({32}, {"e8m0_row", "e8m0_128x4"});
}

}  // namespace

std::vector<Kernel> rms_norm_quant_group_kernels() {
  return {of_groups({NormGroupPacked::kContract}, {32, 64, 128}, {"ue8m0x4_tma"}, run_rms_norm_quant_group<NormGroupPacked>),
          of_groups(NormBlockList::ids(), {64, 128}, {"row", "col", "tma"}, run_norm_block),
          of_groups(NormAiterList::ids(), {32, 64, 128}, {"row", "col"}, run_norm_aiter),
          of_groups({AiterGatedNorm::kContract, AiterGatedNormFnuz::kContract}, {32, 64, 128}, {"row"}, run_norm_gated),
          of_groups({AiterHipGatedNorm::kContract, AiterHipGatedNormFnuz::kContract}, {128}, {"row"}, run_norm_gated),
          of_tokens(NormTokenList::ids(), run_norm_token),
          of_tokens({AiterHipNormToken::kContract, AiterHipNormTokenV0117::kContract, AiterHipAddNormTokenV0117::kContract, AiterHipNormTokenFnuz::kContract, AiterHipNormTokenInt8::kContract,
                     AiterHipAddNormToken::kContract, AiterGatedNormToken::kContract},
                    run_norm_aiter_token),
          of_tokens({AiterHipAddNormTokenGfx942::kContract}, run_norm_aiter_token, kBf16),
          of_tokens({FlashinferTrtllmNormToken::kContract, AiterArToken::kContract, AiterArTokenTwoStage::kContract},
                    run_norm_rank_token),
          of_tokens({AiterArTokenGfx942::kContract, AiterArTokenTwoStageGfx942::kContract}, run_norm_rank_token, kBf16),
          of_groups({FlashinferTrtllmNormPacked::kContract}, {32, 64, 128}, {"ue8m0x4_tma"}, run_norm_rank_group),
          of_groups({AiterArPerGroup::kContract, AiterArPerGroupTwoStage::kContract}, {32, 64, 128}, {"row", "col"},
                    run_norm_rank_group),
          of_groups({AiterArPerGroupGfx942::kContract, AiterArPerGroupTwoStageGfx942::kContract}, {32, 64, 128}, {"row", "col"},
                    run_norm_rank_group, kBf16),
          norm_of_mx_blocks(),
          norm_of_nvfp4<FlashinferNormFp4>(),
          norm_of_nvfp4<FlashinferAddNormFp4>(),
          norm_of_nvfp4<FlashinferTrtllmNormNvfp4>(),
          norm_of_mxfp4<FlashinferNormMx>(),
          norm_of_mxfp4<FlashinferAddNormMx>(),
          norm_of_mxfp4<AiterNormMxfp4>(),
          norm_of_mxfp4<AiterAddNormMxfp4>(),
          norm_of_mxfp4<AiterArNormMxfp4>()};
}

void run_norm_aiter(const Call& call) {
  NormAiterList::with(call.contract(), [&](auto rules) { run_rms_norm_quant_group<decltype(rules)>(call); });
}

void run_norm_rank_fp4(const Call& call) {
  NormRankFp4List::with(call.contract(), [&](auto rules) { run_rms_norm_quant_fp4<decltype(rules)>(call); });
}

void run_norm_gated(const Call& call) {
  NormGatedList::with(call.contract(), [&](auto rules) { run_rms_norm_quant_group<decltype(rules)>(call); });
}

Kernel norm_of_mx_blocks() {
  return {"rms_norm_quant_mx",
          "rms_norm_quant_group",
          {VllmAddNormMxfp8::kContract},
          {{"x", kHalf}, {"group_size", {32}}, {"layout", {"e8m0_128x4"}}, {"warp", simt::kWarpSizes}},
          {},
          run_rms_norm_quant_mx<VllmAddNormMxfp8>};
}

}  // namespace assay_kernels
