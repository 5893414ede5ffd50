#include "kernels/ops/catalogue.h"
#include "kernels/ops/fused_add_rms_norm/rules.h"
#include "kernels/ops/rms_norm/rms_norm.h"

namespace assay_kernels {
namespace {

using List = NormList<VllmFusedAddRmsNormV0191, VllmFusedAddRmsNorm20260618, VllmIrFusedAddRmsNorm, LigerFusedAddRmsNorm, FlashinferFusedAddRmsNorm, FlashinferTrtllmAddRmsNorm,
                      FlashinferGemmaFusedAddRmsNorm, FlashinferFusedAddRmsNormV067, FlashinferGemmaFusedAddRmsNormV067, AiterFusedAddRmsNorm, AiterOpusFusedAddRmsNorm, AiterOpusFusedAddRmsNormOdd,
                      AiterOpusT5FusedAddRmsNorm>;
using CutOffList = NormList<AiterFusedAddRmsNormGfx942, AiterOpusFusedAddRmsNormGfx942>;

void by_contract(const Call& call) {
  List::with(call.contract(), [&](auto rules) { run_rms_norm<decltype(rules)>(call); });
}

void cut_off_by_contract(const Call& call) {
  CutOffList::with(call.contract(), [&](auto rules) { run_rms_norm<decltype(rules)>(call); });
}

}  // namespace

std::vector<Kernel> fused_add_rms_norm_kernels() {
  return {{"fused_add_rms_norm", "fused_add_rms_norm", List::ids(), {{"x", kAny}, {"warp", simt::kWarpSizes}}, {}, by_contract},
          {"fused_add_rms_norm",
           "fused_add_rms_norm",
           CutOffList::ids(),
           {{"x", {"bf16"}}, {"warp", simt::kWarpSizes}},
           {},
           cut_off_by_contract}};
}

}  // namespace assay_kernels
