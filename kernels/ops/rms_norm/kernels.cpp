#include "kernels/ops/catalogue.h"
#include "kernels/ops/rms_norm/rms_norm.h"

namespace assay_kernels {
namespace {

using List = NormList<VllmRmsNormV0191, VllmRmsNorm20260618, VllmIrRmsNorm, VllmMinimaxQkRmsNorm, VllmGemmaRmsNorm, VllmRmsNormBatchInvariant, FlashinferRmsNorm, FlashinferGemmaRmsNorm,
                      FlashinferRmsNormV067, FlashinferGemmaRmsNormV067, AiterRmsNorm, AiterGemmaRmsNorm, AiterOpusT5RmsNorm, LigerRmsNorm,
                      LigerGemmaRmsNorm>;

void by_contract(const Call& call) {
  List::with(call.contract(), [&](auto rules) { run_rms_norm<decltype(rules)>(call); });
}

}  // namespace

std::vector<Kernel> rms_norm_kernels() {
  return {{"rms_norm", "rms_norm", List::ids(), {{"x", kAny}, {"warp", simt::kWarpSizes}}, {}, by_contract},
          {"rms_norm",
           "rms_norm",
           {AiterRmsNormGfx942::kContract},
           {{"x", {"bf16"}}, {"warp", simt::kWarpSizes}},
           {},
           run_rms_norm<AiterRmsNormGfx942>}};
}

}  // namespace assay_kernels
