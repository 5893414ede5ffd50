#include "kernels/ops/catalogue.h"
#include "kernels/ops/rms_norm_quant_group/apart.h"
#include "kernels/ops/rms_norm_quant_group/rms_norm_quant_group.h"

namespace assay_kernels {
namespace {

void by_contract(const Call& call) {
  NormBlockList::with(call.contract(), [&](auto rules) { run_rms_norm_quant_group<decltype(rules)>(call); });
}

Kernel of_groups(std::vector<std::string> contracts, const char* groups, const char* layouts, void (*run)(const Call&)) {
  return {"rms_norm_quant_group",
          "rms_norm_quant_group",
          std::move(contracts),
          {{"x", R"(["bf16", "f16"])"}, {"group_size", groups}, {"layout", layouts}, {"warp", simt::kWarpSizes}},
          {},
          run};
}

}  // namespace

std::vector<Kernel> rms_norm_quant_group_kernels() {
  return {
      of_groups({NormGroupPacked::kContract}, "[32, 64, 128]", R"(["ue8m0x4_tma"])", run_rms_norm_quant_group<NormGroupPacked>),
      of_groups(NormBlockList::ids(), "[64, 128]", R"(["row", "col", "tma"])", by_contract),
      of_groups(NormAiterList::ids(), "[32, 64, 128]", R"(["row", "col"])", run_norm_aiter),
      {"rms_norm_quant_token",
       "rms_norm_quant_group",
       NormTokenList::ids(),
       {{"x", R"(["bf16", "f16"])"}, {"layout", R"(["row"])"}, {"warp", simt::kWarpSizes}},
       {},
       run_norm_token}};
}

}  // namespace assay_kernels
