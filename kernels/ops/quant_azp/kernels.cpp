#include "kernels/ops/catalogue.h"
#include "kernels/ops/quant_azp/token.h"

namespace assay_kernels {
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

}  // namespace assay_kernels
