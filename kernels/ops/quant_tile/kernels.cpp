#include "kernels/ops/catalogue.h"
#include "kernels/ops/quant_tile/block_rules.h"
#include "kernels/ops/quant_tile/rules.h"
#include "kernels/ops/quant_tile/tensor.h"

namespace assay_kernels {
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
