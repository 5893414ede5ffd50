#include "kernels/ops/catalogue.h"
#include "kernels/ops/rms_norm/rms_norm.h"

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

}  // namespace assay_kernels
