// The kernel table of rms_norm, fused_add_rms_norm and layer_norm, which describe() of the C ABI lists.
#include "kernels/ops/rms_norm/rms_norm_kernel.h"

#include "kernels/ops/call.h"
#include "kernels/ops/rms_norm/layer_norm_kernel.h"
#include "kernels/ops/rms_norm/rms_norm_rules.h"

namespace assay_kernels {
namespace {

using RmsNormList = NormList<VllmRmsNormV0191, VllmRmsNorm20260618, VllmIrRmsNorm, VllmMinimaxQkRmsNorm, VllmGemmaRmsNorm, VllmRmsNormBatchInvariant, FlashinferRmsNorm, FlashinferGemmaRmsNorm,
                      FlashinferRmsNormV067, FlashinferGemmaRmsNormV067, AiterRmsNorm, AiterRmsNormV0117, AiterGemmaRmsNorm, AiterOpusT5RmsNorm, LigerRmsNorm,
                      LigerGemmaRmsNorm>;

void rms_norm_by_contract(const Call& call) {
  RmsNormList::with(call.contract(), [&](auto rules) { run_rms_norm<decltype(rules)>(call); });
}

}  // namespace

std::vector<Kernel> rms_norm_kernels() {
  return {{"rms_norm", "rms_norm", RmsNormList::ids(), {{"x", kAny}, {"warp", simt::kWarpSizes}}, {}, rms_norm_by_contract},
          {"rms_norm",
           "rms_norm",
           {AiterRmsNormGfx942::kContract},
           {{"x", {"bf16"}}, {"warp", simt::kWarpSizes}},
           {},
           run_rms_norm<AiterRmsNormGfx942>},
          {"rms_norm",
           "rms_norm",
           {AiterRmsNormGfx942V0117::kContract},
           {{"x", {"bf16"}}, {"warp", simt::kWarpSizes}},
           {},
           run_rms_norm<AiterRmsNormGfx942V0117>}};
}

namespace {

using FusedAddList = NormList<VllmFusedAddRmsNormV0191, VllmFusedAddRmsNorm20260618, VllmIrFusedAddRmsNorm, LigerFusedAddRmsNorm, FlashinferFusedAddRmsNorm, FlashinferTrtllmAddRmsNorm, FlashinferMnnvlAddRmsNorm,
                      FlashinferGemmaFusedAddRmsNorm, FlashinferFusedAddRmsNormV067, FlashinferGemmaFusedAddRmsNormV067, AiterFusedAddRmsNorm, AiterFusedAddRmsNormV0117, AiterOpusFusedAddRmsNorm, AiterOpusFusedAddRmsNormOdd,
                      AiterOpusT5FusedAddRmsNorm>;
using FusedAddCutOffList = NormList<AiterFusedAddRmsNormGfx942, AiterFusedAddRmsNormGfx942V0117, AiterOpusFusedAddRmsNormGfx942>;

void fused_add_by_contract(const Call& call) {
  FusedAddList::with(call.contract(), [&](auto rules) { run_rms_norm<decltype(rules)>(call); });
}

void fused_add_cut_off_by_contract(const Call& call) {
  FusedAddCutOffList::with(call.contract(), [&](auto rules) { run_rms_norm<decltype(rules)>(call); });
}

}  // namespace

std::vector<Kernel> fused_add_rms_norm_kernels() {
  return {{"fused_add_rms_norm", "fused_add_rms_norm", FusedAddList::ids(), {{"x", kAny}, {"warp", simt::kWarpSizes}}, {}, fused_add_by_contract},
          {"fused_add_rms_norm",
           "fused_add_rms_norm",
           FusedAddCutOffList::ids(),
           {{"x", {"bf16"}}, {"warp", simt::kWarpSizes}},
           {},
           fused_add_cut_off_by_contract}};
}

namespace {

using LayerNormList = NormList<FlashinferLayerNorm, TrtllmLayerNorm, TrtllmLayerNormSquares>;

void layer_norm_by_contract(const Call& call) {
  LayerNormList::with(call.contract(), [&](auto rules) { run_layer_norm<decltype(rules)>(call); });
}

}  // namespace

std::vector<Kernel> layer_norm_kernels() {
  return {
      {"layer_norm", "layer_norm", LayerNormList::ids(), {{"x", kAny}, {"warp", simt::kWarpSizes}}, {}, layer_norm_by_contract}};
}

}  // namespace assay_kernels
