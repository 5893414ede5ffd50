// The kernels of quant_mx, as describe() lists them.
#include "kernels/ops/call.h"
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

void mx_by_contract(const Call& call) {
  MxList::with(call.contract(), [&](auto rules) { run_mx<decltype(rules)>(call); });
}
void mx_by_experts(const Call& call) {
  ExpertsList::with(call.contract(), [&](auto rules) { run_mx_experts<decltype(rules)>(call); });
}

}  // namespace

std::vector<Kernel> quant_mx_kernels() {
  std::vector<std::string> contracts, of_experts;
  MxList::append_ids(contracts, false);
  ExpertsList::append_ids(of_experts, false);
  const Accepts accepts = {{"x", kHalf}, {"group_size", {32}}, {"layout", kMxLayouts}, {"warp", simt::kWarpSizes}};
  return {{"quant_mx", "quant_group", contracts, accepts, {}, mx_by_contract},
          {"quant_mx_experts", "quant_experts", of_experts, accepts, {}, mx_by_experts}};
}

}  // namespace assay_kernels
