// Two kernels, as vLLM runs them unfused and AITER's fused ones beyond one block do.
#include "kernels/ops/all_reduce_add_rms_norm/fused.h"

namespace assay_kernels {
namespace {

using Norm = VllmFusedAddRmsNorm20260618;

}  // namespace

std::vector<Kernel> all_reduce_add_rms_norm_kernels() {
  return {fused_row<Norm, run_one_shot<AbsoluteRules>>("all_reduce_add_rms_norm.one_shot", "vllm.all_reduce_add_rms_norm"),
          fused_row<FlashinferTrtllmAddRmsNorm, run_two_shot<FlushingSums>>("all_reduce_add_rms_norm.two_shot",
                                                       "flashinfer.all_reduce_add_rms_norm_twoshot"),
          fused_row<FlashinferTrtllmAddRmsNorm, run_lamport<LamportRules<FlushingSums, MinusZeroIsEmpty>>>(
              "all_reduce_add_rms_norm.lamport", "flashinfer.all_reduce_add_rms_norm_oneshot", minus_zero_area),
          fused_row<FlashinferMnnvlAddRmsNorm, run_lamport<LamportRules<FlushingSum<FromZeroRules>, MinusZeroIsEmpty>>>(
              "all_reduce_add_rms_norm.lamport", "flashinfer.all_reduce_add_rms_norm_mnnvl_oneshot", minus_zero_area)};
}

}  // namespace assay_kernels
