#include "kernels/ops/catalogue.h"
#include "kernels/ops/layer_norm/run.h"
#include "kernels/ops/rms_norm/rules.h"

namespace assay_kernels {
namespace {

using LayerNormList = NormList<FlashinferLayerNorm, TrtllmLayerNorm, TrtllmLayerNormSquares>;

void layer_norm_by_contract(const Call& call) {
  LayerNormList::with(call.contract(), [&](auto rules) { run_layer_norm<decltype(rules)>(call); });
}

}  // namespace

std::vector<Kernel> layer_norm_kernels() {
  return {
      {"layer_norm", "layer_norm", LayerNormList::ids(), {{"x", kAny}, {"warp", simt::kWarpSizes}}, {}, layer_norm_by_contract}};
}

}  // namespace assay_kernels
