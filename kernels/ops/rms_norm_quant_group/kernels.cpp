#include "kernels/ops/catalogue.h"
#include "kernels/ops/rms_norm_quant_group/apart.h"
#include "kernels/ops/rms_norm_quant_group/rms_norm_quant_group.h"

namespace assay_kernels {
namespace {

void by_contract(const Call& call) {
  NormBlockList::with(call.contract(), [&](auto rules) { run_rms_norm_quant_group<decltype(rules)>(call); });
}

Kernel of_groups(std::vector<std::string> contracts, const Values& groups, const Values& layouts, void (*run)(const Call&)) {
  return {"rms_norm_quant_group",
          "rms_norm_quant_group",
          std::move(contracts),
          {{"x", kHalf}, {"group_size", groups}, {"layout", layouts}, {"warp", simt::kWarpSizes}},
          {},
          run};
}

}  // namespace

std::vector<Kernel> rms_norm_quant_group_kernels() {
  return {of_groups({NormGroupPacked::kContract}, {32, 64, 128}, {"ue8m0x4_tma"}, run_rms_norm_quant_group<NormGroupPacked>),
          of_groups(NormBlockList::ids(), {64, 128}, {"row", "col", "tma"}, by_contract),
          of_groups(NormAiterList::ids(), {32, 64, 128}, {"row", "col"}, run_norm_aiter),
          {"rms_norm_quant_token",
           "rms_norm_quant_group",
           NormTokenList::ids(),
           {{"x", kHalf}, {"layout", {"row"}}, {"warp", simt::kWarpSizes}},
           {},
           run_norm_token}};
}

}  // namespace assay_kernels
