#include "kernels/ops/catalogue.h"
#include "kernels/ops/fused_add_rms_norm/rules.h"
#include "kernels/ops/rms_norm/rms_norm.h"

namespace assay_kernels {
namespace {

using List = NormList<VllmFusedAddRmsNormV0191, VllmFusedAddRmsNorm20260618, VllmIrFusedAddRmsNorm, FlashinferFusedAddRmsNorm,
                      FlashinferGemmaFusedAddRmsNorm, AiterFusedAddRmsNorm>;

void by_contract(const Call& call) {
  List::with(call.contract(), [&](auto rules) { run_rms_norm<decltype(rules)>(call); });
}

}  // namespace

std::vector<Kernel> fused_add_rms_norm_kernels() {
  return {{"fused_add_rms_norm",
           "fused_add_rms_norm",
           List::ids(),
           {{"x", R"(["bf16", "f16", "f32"])"}, {"warp", simt::kWarpSizes}},
           {},
           by_contract},
          {"fused_add_rms_norm",
           "fused_add_rms_norm",
           {AiterFusedAddRmsNormGfx942::kContract},
           {{"x", R"(["bf16"])"}, {"warp", simt::kWarpSizes}},
           {},
           run_rms_norm<AiterFusedAddRmsNormGfx942>}};
}

}  // namespace assay_kernels
