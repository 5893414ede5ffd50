// One norm and two quantizations of its result: two independent fused calls, as vLLM #41825 makes them. x and the codes may have
// more dimensions than two; a consumer behind a view(-1, H) has two.
#pragma once

#include "kernels/ops/rms_norm_double_quant/consumer.h"
#include "kernels/ops/rms_norm_quant_group/aiter.h"

namespace assay_kernels {

/// AITER's fused kernel: codes of the fp32 result.
struct DoubleFused : AiterNorm {
  static constexpr const char* kContract = "aiter.double_quant_fused";
};
struct DoubleFusedFnuz : AiterNormFnuz {
  static constexpr const char* kContract = "aiter.double_quant_fused_fnuz";
};
/// What came before: AITER's norm, stored, and its quantization by group.
struct DoubleUnfused : NormThenGroup<AiterRmsNorm, AiterPer1x128> {
  static constexpr const char* kContract = "aiter.double_quant_unfused";
};
struct DoubleUnfusedV0117 : NormThenGroup<AiterRmsNormV0117, AiterPer1x128> {
  static constexpr const char* kContract = "aiter.double_quant_unfused@v0.1.17";
};
struct DoubleUnfusedGfx942 : NormThenGroup<AiterRmsNormGfx942, AiterPer1x128Fnuz> {
  static constexpr const char* kContract = "aiter.double_quant_unfused_gfx942";
};
/// vLLM's native IR in place of AITER's norm.
struct DoubleEager : NormThenGroup<VllmIrRmsNorm, AiterPer1x128> {
  static constexpr const char* kContract = "aiter.double_quant_eager";
};

using DoubleList = NormList<DoubleFused, DoubleFusedFnuz, DoubleUnfused, DoubleUnfusedV0117, DoubleUnfusedGfx942, DoubleEager>;

template <class First, class Second = First>
void run_double(const Call& call) {
  run_rms_norm_quant_group<First>(ConsumerCall(call, "q", "scale").call());
  run_rms_norm_quant_group<Second>(ConsumerCall(call, "q2", "scale2").call());
}

}  // namespace assay_kernels
