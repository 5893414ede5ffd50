#include "kernels/ops/catalogue.h"
#include "kernels/ops/layer_norm/run.h"
#include "kernels/ops/rms_norm/rules.h"

namespace assay_kernels {
namespace {

using List = NormList<FlashinferLayerNorm, TrtllmLayerNorm, TrtllmLayerNormSquares>;

void by_contract(const Call& call) {
  List::with(call.contract(), [&](auto rules) { run_layer_norm<decltype(rules)>(call); });
}

}  // namespace

std::vector<Kernel> layer_norm_kernels() {
  return {{"layer_norm", "layer_norm", List::ids(), {{"x", kAny}, {"warp", simt::kWarpSizes}}, {}, by_contract}};
}

}  // namespace assay_kernels
