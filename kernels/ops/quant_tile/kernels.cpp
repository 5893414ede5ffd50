#include "kernels/ops/catalogue.h"
#include "kernels/ops/quant_tile/rules.h"
#include "kernels/ops/quant_tile/tensor.h"

namespace assay_kernels {
namespace {

using TensorList = RulesList<VllmPerTensor, VllmPerTensorFnuz, VllmPerTensorNative, AiterPerTensor, AiterPerTensorFnuz>;

void by_contract(const Call& call) {
  TensorList::with(call.contract(), [&](auto rules) { run_tensor<decltype(rules)>(call); });
}

}  // namespace

std::vector<Kernel> quant_tile_kernels() {
  std::vector<std::string> contracts;
  TensorList::append_ids(contracts, false);
  return {{"quant_tensor", "quant_tile", contracts, one_scale_accepts(), {}, by_contract}};
}

}  // namespace assay_kernels
