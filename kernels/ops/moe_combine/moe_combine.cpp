// The kernels of moe_combine, as describe() lists them: one template, its rows divided by the types that their originals take.
#include "kernels/ops/call.h"
#include "kernels/ops/moe_combine/moe_combine_kernel.h"

namespace assay_kernels {
namespace {

void combine_by_contract(const Call& call) {
  CombineList::with(call.contract(), [&](auto rules) { run_moe_combine<decltype(rules)>(call); });
}

Kernel of_types(const char* name, const std::vector<std::string>& contracts, const Values& types) {
  return {name, "moe_combine", contracts, {{"x", types}, {"warp", simt::kWarpSizes}}, {}, combine_by_contract};
}

}  // namespace

std::vector<Kernel> moe_combine_kernels() {
  return {of_types("moe_combine.sum",
                   {VllmMoeSumInType::kContract, VllmMoeSum::kContract, VllmMoeSumPadAware::kContract, TorchSumTopk::kContract,
                    AiterMoeSumInType::kContract, AiterMoeSum::kContract, SglangMoeSum::kContract, SglangMoeSumReduce::kContract, SglangTopkSum::kContract},
                   kAny),
          of_types("moe_combine.weighted_sum",
                   {VllmWeightAndReduceInType::kContract, VllmWeightAndReduce::kContract, VllmFusedMulSum::kContract,
                    SglangFusedMulSum::kContract},
                   kAny),
          of_types("moe_combine.gather",
                   {VllmMoeUnpermute::kContract, VllmMoeUnpermuteSlotMajor::kContract, VllmEpGather::kContract, SglangPostReorder::kContract},
                   kAny)};
}

}  // namespace assay_kernels
