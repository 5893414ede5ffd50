#include "kernels/ops/catalogue.h"
#include "kernels/ops/rms_norm_quant_group/rms_norm_quant_group.h"

namespace assay_kernels {
namespace {

void by_contract(const Call& call) {
  NormBlockList::with(call.contract(), [&](auto rules) { run_rms_norm_quant_group<decltype(rules)>(call); });
}

}  // namespace

std::vector<Kernel> rms_norm_quant_group_kernels() {
  const char* half = R"(["bf16", "f16"])";
  return {{"rms_norm_quant_group",
           "rms_norm_quant_group",
           {NormGroupPacked::kContract},
           {{"x", half}, {"group_size", "[32, 64, 128]"}, {"layout", R"(["ue8m0x4_tma"])"}, {"warp", simt::kWarpSizes}},
           {},
           run_rms_norm_quant_group<NormGroupPacked>},
          {"rms_norm_quant_group",
           "rms_norm_quant_group",
           NormBlockList::ids(),
           {{"x", half}, {"group_size", "[64, 128]"}, {"layout", R"(["row", "col", "tma"])"}, {"warp", simt::kWarpSizes}},
           {},
           by_contract}};
}

}  // namespace assay_kernels
