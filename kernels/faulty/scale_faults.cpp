// Scales of tokens, of tensors and given ones gone wrong: the kernels of scale_faults.h with the regressions they are.
#include "kernels/faulty/scale_faults.h"

#include "kernels/faulty/offers/group.h"
#include "kernels/faulty/offers/scale.h"
#include "kernels/ops/catalogue.h"

namespace assay_kernels {

std::vector<Kernel> scale_faults() {
  return {
      of_tokens<ScaleUbIgnored>("scale_ub_ignored", "aiter e4048607 dynamic_per_token_scaled_quant: scale_ub is never read"),
      of_tokens<ScaleUbOnScale>("scale_ub_on_scale",
                                "vLLM fused_silu_mul_block_quant.cu 09a2bf02: there the same name bounds the scale"),
      of_tensors<ScaleNotCleared>("scale_not_cleared", "sglang #40557: atomicMax on a scale that nobody zeroed"),
      of_tensors<ScaleFloorMissing>("scale_floor_missing", "TensorRT-LLM #8954, pytorch/ao #4713"),
      of_given_scales<ScaleForInverse<>>("scale_for_inverse", "vLLM #36297, tritonbench #1145"),
      of_given_groups<ScaleForInverse<VllmStaticGroup>>("group_scale_for_inverse", "vLLM #36297, tritonbench #1145",
                                                        {"row", "col"}),
  };
}

}  // namespace assay_kernels
