// Casts gone wrong: the kernels of cast_faults.h with the regressions they are.
#include "kernels/faulty/cast_faults.h"

#include "kernels/ops/cast/cast.h"
#include "kernels/ops/catalogue.h"

namespace assay_kernels {
namespace {

template <class Rules>
Kernel of_casts(const char* name, const char* cites) {
  return {name, "cast", {Rules::kContract}, {{"x", kAny}, {"warp", simt::kWarpSizes}}, {}, run_cast<Rules>, name, cites, "cast"};
}

}  // namespace

std::vector<Kernel> cast_faults() {
  return {
      of_casts<CastFloorForCeil>("cast_floor_for_ceil", "vLLM #43557"),
      of_casts<CastNanLaundering>("cast_nan_laundering", "aiter e4048607 vec_convert: v_med3_f32 without a guard"),
      of_casts<CastWithoutSaturation>("cast_without_saturation", "triton #7327, triton #7337"),
      of_casts<CastNanAboveLargest>("cast_nan_above_largest", "ROCm clr f9f995c amd_hip_fp8.h cast_to_f8"),
      of_casts<CastTiesAway>("cast_ties_away", "microxcaling 7bc4195: rounds ties away from zero by default"),
      of_casts<CastFlushesSubnormals>("cast_flushes_subnormals", "no regression known; what flushing hardware would do"),
      of_casts<CastRange240>("cast_range_240", "vLLM #32201, there 240 for 224"),
      of_casts<CastThroughBf16>("cast_through_bf16", "vLLM #42325, there in a norm before its quantization"),
      of_casts<CastShiftWraps>("cast_shift_wraps", "ROCm clr a853242 amd_hip_fp8.h cast_to_f8"),
      of_casts<CastFnuzForFn>("cast_fnuz_for_fn", "HIP 7.2.4 amd_hip_fp8.h on gfx942 with NDEBUG"),
  };
}

}  // namespace assay_kernels
