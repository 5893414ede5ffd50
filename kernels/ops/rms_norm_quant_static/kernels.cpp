#include "kernels/ops/catalogue.h"
#include "kernels/ops/rms_norm_quant_static/rms_norm_quant_static.h"

namespace assay_kernels {
namespace {

void by_contract(const Call& call) {
  NormStaticList::with(call.contract(), [&](auto rules) { run_rms_norm_quant_static<decltype(rules)>(call); });
}

}  // namespace

std::vector<Kernel> rms_norm_quant_static_kernels() {
  return {{"rms_norm_quant_static",
           "rms_norm_quant_static",
           NormStaticList::ids(),
           {{"x", kHalf}, {"group_size", {"tensor"}}, {"layout", {"row"}}, {"warp", simt::kWarpSizes}},
           {},
           by_contract}};
}

}  // namespace assay_kernels
