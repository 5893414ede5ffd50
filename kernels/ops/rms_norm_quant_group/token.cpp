#include "kernels/ops/rms_norm_quant_group/token.h"

#include "kernels/ops/catalogue.h"

namespace assay_kernels {
namespace {

void by_contract(const Call& call) {
  NormTokenList::with(call.contract(), [&](auto rules) { run_rms_norm_quant_token<decltype(rules)>(call); });
}

}  // namespace

std::vector<Kernel> rms_norm_quant_token_kernels() {
  return {{"rms_norm_quant_token",
           "rms_norm_quant_group",
           NormTokenList::ids(),
           {{"x", R"(["bf16", "f16"])"}, {"layout", R"(["row"])"}, {"warp", simt::kWarpSizes}},
           {},
           by_contract}};
}

}  // namespace assay_kernels
