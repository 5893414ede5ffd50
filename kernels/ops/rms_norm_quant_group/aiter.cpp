// Apart from the other contracts, for the compiler's sake.
#include "kernels/ops/catalogue.h"
#include "kernels/ops/rms_norm_quant_group/rms_norm_quant_group.h"

namespace assay_kernels {
namespace {

void by_contract(const Call& call) {
  NormAiterList::with(call.contract(), [&](auto rules) { run_rms_norm_quant_group<decltype(rules)>(call); });
}

}  // namespace

std::vector<Kernel> rms_norm_quant_group_aiter_kernels() {
  return {{"rms_norm_quant_group",
           "rms_norm_quant_group",
           NormAiterList::ids(),
           {{"x", R"(["bf16", "f16"])"},
            {"group_size", "[32, 64, 128]"},
            {"layout", R"(["row", "col"])"},
            {"warp", simt::kWarpSizes}},
           {},
           by_contract}};
}

}  // namespace assay_kernels
