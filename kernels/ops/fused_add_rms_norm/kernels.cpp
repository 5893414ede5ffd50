#include "kernels/ops/catalogue.h"
#include "kernels/ops/fused_add_rms_norm/rules.h"
#include "kernels/ops/rms_norm/rms_norm.h"

namespace assay_kernels {
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

}  // namespace assay_kernels
