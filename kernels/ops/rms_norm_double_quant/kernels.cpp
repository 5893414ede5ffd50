#include "kernels/ops/catalogue.h"
#include "kernels/ops/rms_norm_double_quant/double.h"

namespace assay_kernels {
namespace {

void double_quant_by_contract(const Call& call) {
  DoubleList::with(call.contract(), [&](auto rules) { run_double<decltype(rules)>(call); });
}

}  // namespace

std::vector<Kernel> rms_norm_double_quant_kernels() {
  return {{"rms_norm_double_quant",
           "rms_norm_double_quant",
           DoubleList::ids(),
           {{"x", kHalf}, {"group_size", {128}}, {"layout", {"row", "col"}}, {"warp", simt::kWarpSizes}},
           {},
           double_quant_by_contract}};
}

}  // namespace assay_kernels
