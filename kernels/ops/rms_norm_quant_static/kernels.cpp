#include "kernels/ops/catalogue.h"
#include "kernels/ops/rms_norm_quant_static/by_contract.h"
#include "kernels/ops/rms_norm_quant_static/rms_norm_quant_static.h"

namespace assay_kernels {

void run_norm_static(const Call& call) {
  NormStaticList::with(call.contract(), [&](auto rules) { run_rms_norm_quant_static<decltype(rules)>(call); });
}

std::vector<Kernel> rms_norm_quant_static_kernels() {
  return {{"rms_norm_quant_static",
           "rms_norm_quant_static",
           NormStaticList::ids(),
           {{"x", kHalf}, {"group_size", {"tensor"}}, {"layout", {"row"}}, {"warp", simt::kWarpSizes}},
           {},
           run_norm_static}};
}

}  // namespace assay_kernels
