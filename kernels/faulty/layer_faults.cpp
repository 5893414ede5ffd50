// Layer_norm gone wrong: the kernels of layer_faults.h with the regressions they are.
#include "kernels/faulty/layer_faults.h"

#include "kernels/ops/catalogue.h"
#include "kernels/ops/layer_norm/run.h"

namespace assay_kernels {
namespace {

template <class Rules>
Kernel of_layer_norms(const char* name, const char* cites, const Values& x = kAny) {
  return {name, "layer_norm", {Rules::kContract}, {{"x", x}, {"warp", simt::kWarpSizes}}, {}, run_layer_norm<Rules>,
          name, cites,        "layer_norm"};
}

}  // namespace

std::vector<Kernel> layer_faults() {
  return {
      of_layer_norms<LayerByDifference>("layer_by_difference", "tracel-ai/burn #5607, ml-explore/mlx #2238, onnxruntime #28463"),
      of_layer_norms<LayerLessOne>("layer_less_one", "LBANN #2024"),
      of_layer_norms<LayerEpsOutsideRoot>("layer_eps_outside_root", "tracel-ai/burn #2185"),
      of_layer_norms<LayerWeightsRounded>("layer_weights_rounded", "ROCm/ATOM #1359, aiter #3451", {"bf16"}),
      of_layer_norms<LayerBetaForgotten>("layer_beta_forgotten", "ferrox #230"),
      of_layer_norms<LayerByRms>("layer_by_rms", "ferrox #230: a norm taken for the other"),
      of_layer_norms<LayerRoundedFirst>("layer_rounded_first", "vLLM #42325, vLLM #46070: the other profile, there of rms_norm",
                                        kHalf),
  };
}

}  // namespace assay_kernels
