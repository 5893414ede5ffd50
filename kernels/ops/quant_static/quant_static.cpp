// The kernel table of quant_static, quant_azp and quant_tile, which describe() of the C ABI lists.
#include "kernels/ops/call.h"
#include "kernels/ops/quant_static/quant_azp_kernel.h"
#include "kernels/ops/quant_static/quant_static_kernel.h"
#include "kernels/ops/quant_static/quant_tile_kernel.h"

namespace assay_kernels {
namespace {

using StaticList = RulesList<VllmStatic, VllmStaticFnuz, VllmStaticNative, AiterStatic, AiterStaticFnuz, VllmStaticInt8>;
using StaticAzpList = RulesList<VllmStaticInt8Azp>;

void static_by_contract(const Call& call) {
  StaticList::with(call.contract(), [&](auto rules) { run_static<decltype(rules)>(call); }) ||
      StaticAzpList::with(call.contract(), [&](auto rules) { run_static_azp<decltype(rules)>(call); });
}

using GroupsList = RulesList<VllmStaticGroup, VllmStaticGroupFnuz>;

void static_by_groups(const Call& call) {
  GroupsList::with(call.contract(), [&](auto rules) { run_static_groups<decltype(rules)>(call); });
}

}  // namespace

std::vector<Kernel> quant_static_kernels() {
  std::vector<std::string> contracts, of_groups;
  StaticList::append_ids(contracts, false);
  StaticAzpList::append_ids(contracts, false);
  GroupsList::append_ids(of_groups, false);
  return {{"quant_static", "quant_static", contracts, one_scale_accepts(), {}, static_by_contract},
          {"quant_static.groups", "quant_static", of_groups, static_groups_accept(), {}, static_by_groups}};
}

namespace {

using AzpList = RulesList<VllmPerTokenInt8Azp, AssayPerTokenInt8Azp>;

void azp_by_contract(const Call& call) {
  AzpList::with(call.contract(), [&](auto rules) { run_token_azp<decltype(rules)>(call); });
}

}  // namespace

std::vector<Kernel> quant_azp_kernels() {
  std::vector<std::string> contracts;
  AzpList::append_ids(contracts, false);
  return {{"quant_token_azp",
           "quant_azp",
           contracts,
           {{"x", kAny}, {"layout", {"row"}}, {"warp", simt::kWarpSizes}},
           {{"n", 8}},
           azp_by_contract}};
}

namespace {

using TensorList = RulesList<VllmPerTensor, VllmPerTensorFnuz, VllmPerTensorNative, VllmPerTensorNativeGpu, AiterPerTensor,
                             AiterPerTensorFnuz>;

void tensor_by_contract(const Call& call) {
  TensorList::with(call.contract(), [&](auto rules) { run_tensor<decltype(rules)>(call); });
}

using BlockList = RulesList<DeepgemmPerBlockCast, DeepgemmPerBlockCastGpu, DeepgemmPerBlockCastUe8m0, VllmPerBlockCastUe8m0,
                            VllmScaledQuantizeBlock>;

void block_by_contract(const Call& call) {
  BlockList::with(call.contract(), [&](auto rules) { run_block<decltype(rules)>(call); });
}

}  // namespace

std::vector<Kernel> quant_tile_kernels() {
  std::vector<std::string> contracts, of_blocks;
  TensorList::append_ids(contracts, false);
  BlockList::append_ids(of_blocks, false);
  return {{"quant_tensor", "quant_tile", contracts, one_scale_accepts(), {}, tensor_by_contract},
          {"quant_block", "quant_tile", of_blocks, block_accepts(), {}, block_by_contract}};
}

}  // namespace assay_kernels
