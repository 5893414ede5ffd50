// The kernel table of quant_mx, which describe() of the C ABI lists.
#include "kernels/ops/call.h"
#include "kernels/ops/quant_mx/quant_fp4_contracts.h"
#include "kernels/ops/quant_mx/quant_mx_contracts.h"
#include "kernels/ops/quant_mx/quant_mx_kernel.h"

namespace assay_kernels {
namespace {

using MxList = RulesList<FlashinferMxfp8V063, FlashinferMxfp8, FlashinferMxfp8Cute, FlashinferMxfp8CuteV0618, TorchaoMxFloor,
                         TorchaoMxRceil, TorchaoMxCeil, TorchaoMxEven, TorchaoMxFloorV0120, TorchaoMxCeilV0120, TorchaoMxEvenV0120, AiterPer1x32, AiterPer1x32Fnuz, AiterPer1x32V0115,
                         AiterPer1x32FnuzV0115, FlashinferMxfp8V0213, TorchaoMxRceilV0120, TorchaoMxRceilV0180, AiterTritonMxfp8,
                         AiterTritonMxfp8N32k4, VllmMxfp8Torch, VllmMxfp8TorchV0270, VllmMxfp8TritonV0270, VllmMxfp8TritonV0300>;
using ExpertsList = RulesList<VllmMxfp8Experts, FlashinferMxfp8V063, FlashinferMxfp8, FlashinferMxfp8Cute, FlashinferMxfp8CuteV0618,
                              TorchaoMxFloor, TorchaoMxRceil>;
using MaskedList = RulesList<FlashinferNvfp4Experts, FlashinferNvfp4ExpertsExact>;

void mx_by_contract(const Call& call) {
  MxList::with(call.contract(), [&](auto rules) { run_mx<decltype(rules)>(call); });
}
void mx_by_experts(const Call& call) {
  ExpertsList::with(call.contract(), [&](auto rules) { run_mx_experts<decltype(rules)>(call); });
}

template <class List>
void fp4_by_contract(const Call& call) {
  List::with(call.contract(), [&](auto rules) { run_fp4<decltype(rules)>(call); });
}
template <class List>
void fp4_by_experts(const Call& call) {
  List::with(call.contract(), [&](auto rules) { run_fp4_experts<decltype(rules)>(call); });
}
template <class List>
void fp4_masked(const Call& call) {
  List::with(call.contract(), [&](auto rules) { run_fp4_masked<decltype(rules)>(call); });
}
template <class List>
Kernel fp4_kernel(const char* name, const Accepts& accepts) {
  std::vector<std::string> contracts;
  List::append_ids(contracts, false);
  return {name, "quant_group", contracts, accepts, {}, fp4_by_contract<List>};
}

}  // namespace

std::vector<Kernel> quant_mx_kernels() {
  std::vector<std::string> contracts, of_experts, masked;
  MxList::append_ids(contracts, false);
  ExpertsList::append_ids(of_experts, false);
  MaskedList::append_ids(masked, false);
  const Accepts accepts = {{"x", kHalf}, {"group_size", {32}}, {"layout", kMxLayouts}, {"warp", simt::kWarpSizes}};
  return {{"quant_mx", "quant_group", contracts, accepts, {}, mx_by_contract},
          {"quant_mx_experts", "quant_experts", of_experts, accepts, {}, mx_by_experts},
          fp4_kernel<Nvfp4List>("quant_nvfp4", kNvfp4Accepts),
          fp4_kernel<RulesList<FlashinferNvfp4PerToken>>("quant_nvfp4_row", kNvfp4RowAccepts),
          fp4_kernel<Nvfp4BlockList>("quant_nvfp4_block", kNvfp4BlockAccepts),
          fp4_kernel<Mxfp4List>("quant_mxfp4", kMxfp4Accepts),
          {"quant_nvfp4_experts", "quant_experts", {VllmNvfp4Experts::kContract}, kNvfp4ExpertsAccepts, {}, fp4_by_experts<RulesList<VllmNvfp4Experts>>},
          {"quant_nvfp4_masked", "quant_masked", masked, kNvfp4ExpertsAccepts, {}, fp4_masked<MaskedList>},
          {"quant_mxfp4_experts", "quant_experts", {VllmMxfp4Experts::kContract}, kMxfp4ExpertsAccepts, {}, fp4_by_experts<RulesList<VllmMxfp4Experts>>}};
}

}  // namespace assay_kernels
