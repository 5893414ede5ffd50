// The kernel table of moe_combine and moe_sort, which describe() of the C ABI lists. Kernels that accept the same types of x share a table row.
#include "kernels/ops/call.h"
#include "kernels/ops/moe_combine/moe_combine_kernel.h"
#include "kernels/ops/moe_combine/moe_sort_kernel.h"

namespace assay_kernels {
namespace {

void combine_by_contract(const Call& call) {
  CombineList::with(call.contract(), [&](auto rules) { run_moe_combine<decltype(rules)>(call); });
}

Kernel of_types(const char* name, const std::vector<std::string>& contracts, const Values& types) {
  return {name, "moe_combine", contracts, {{"x", types}, {"warp", simt::kWarpSizes}}, {}, combine_by_contract};
}

template <class List>
std::vector<std::string> ids_of() {
  std::vector<std::string> ids;
  List::append_ids(ids, false);
  return ids;
}

}  // namespace

std::vector<Kernel> moe_sort_kernels() {
  const Accepts any_warp = {{"warp", simt::kWarpSizes}}, moves = {{"x", {"bf16", "f16", "f32", "e4m3fn"}}, {"warp", simt::kWarpSizes}};
  return {{"moe_sort.blocks", "moe_sort", ids_of<AlignList>(), any_warp, {},
           [](const Call& call) { AlignList::with(call.contract(), [&](auto rules) { run_moe_align<decltype(rules)>(call); }); }},
          {"moe_sort.rows", "moe_sort", ids_of<PermuteList>(), moves, {},
           [](const Call& call) { PermuteList::with(call.contract(), [&](auto rules) { run_moe_permute<decltype(rules)>(call); }); }},
          {"moe_sort.given_order", "moe_sort", ids_of<ShuffleRowsList>(), moves, {},
           [](const Call& call) { ShuffleRowsList::with(call.contract(), [&](auto rules) { run_shuffle_rows<decltype(rules)>(call); }); }}};
}

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
                   {VllmMoeUnpermute::kContract, VllmMoeUnpermuteSlotMajor::kContract, VllmEpGather::kContract, SglangPostReorder::kContract,
                    FlashinferFinalize::kContract, AiterScatterReduce::kContract},
                   kAny),
          of_types("moe_combine.finalize", {FlashinferMoeFinalize::kContract}, kHalf)};
}

}  // namespace assay_kernels
