// Quantization of groups gone wrong: the kernels of group_faults.h with the regressions they are.
#include "kernels/faulty/group_faults.h"

#include "kernels/faulty/offers/group.h"
#include "kernels/ops/catalogue.h"

namespace assay_kernels {

std::vector<Kernel> group_faults() {
  return {
      in_shared_memory<UnmaskedPackedMantissas>("unmasked_packed_mantissas", "sglang #25733, vLLM #40552"),
      in_shared_memory<Fp32ScaleBitsForPacked>("fp32_scale_bits_for_packed", "DeepGEMM #417, vLLM #53680"),
      in_shared_memory<MissingBarrierInStaging<>>("missing_barrier_in_staging", "vLLM #54111"),
      in_registers<Range240For224>("range_240_for_224", "vLLM #46176, vLLM #32201"),
      in_registers<FloorForCeil>("floor_for_ceil", "vLLM #43557"),
      in_registers<NativeQuotient>("native_quotient", "pytorch BinaryDivTrueKernel.cu: on the CPU it is a quotient"),
      in_registers<TritonNanBelow>("triton_nan_below", "vLLM fp8_utils.py v0.18.1: bounds that are no constants"),
      in_registers<GroupsMergedAt64<>>("groups_merged_at_64", "vLLM #39513, vLLM #42758", {128}),
      in_registers<TruncationForNearest<>>("truncation_for_nearest", "aiter #5151, aiter #2236"),
      in_registers<TransposedScales<>>("transposed_scales", "aiter #4506", {32, 64, 128}, {"col"}),
      in_registers<StalePadding<>>("stale_padding", "vLLM #49784, sglang #32386"),
      in_registers<ZeroRowNan<>>("zero_row_nan", "pytorch/ao #4713, aiter #4288"),
      in_registers<NanLaundering<>>("nan_laundering", "pytorch/ao #4201"),
      in_registers<OcpForFnuz<>>("ocp_for_fnuz", "vLLM #45562"),
      in_registers<UnguardedReciprocal<>>("unguarded_reciprocal", "flashinfer #2440, flashinfer #2441", {32, 64, 128},
                                          {"row", "col"}),
      of_tokens<Offset32bit>("offset_32bit", "vLLM #9425, vLLM #53390"),
      in_registers<TransposeScaleNoOp>("transpose_scale_no_op", "aiter #4506, sglang #31617", {32, 64, 128}, {"row_transposed"}),
  };
}

}  // namespace assay_kernels
