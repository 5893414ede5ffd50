// The kernel table of qk_norm_rope, which describe() of the C ABI lists.
#include "kernels/ops/call.h"
#include "kernels/ops/qk_norm_rope/qk_norm_rope_kernel.h"

namespace assay_kernels {
namespace {

using InPlace = HeadList<VllmFusedQkNormRopeNeox, VllmFusedQkNormRopeInterleaved, VllmQkNormThenRopeNeox,
                         VllmQkNormThenRopeInterleaved, VllmQkNormThenRopeNeoxV0191, VllmQkNormThenRopeInterleavedV0191>;

void in_place(const Call& call) {
  InPlace::with(call.contract(), [&](auto rules) { run_qk_norm_rope<decltype(rules)>(call); });
}

}  // namespace

std::vector<Kernel> qk_norm_rope_kernels() {
  return {{"qk_norm_rope", "qk_norm_rope", InPlace::ids(), head_accepts(), {}, in_place},
          {"q_norm_rope",
           "q_norm_rope",
           {VllmDeepseekV4QNormRope::kContract},
           head_accepts(),
           {},
           run_q_norm_rope<VllmDeepseekV4QNormRope>}};
}

}  // namespace assay_kernels
