// rms_norm with a residual and MXFP8 in one pass over x: a thread has whole blocks of 32.
#pragma once

#include "kernels/ops/quant_mx/problem.h"
#include "kernels/ops/quant_mx/vllm.h"
#include "kernels/ops/rms_norm_quant_group/rms_norm_quant_group.h"

namespace assay_kernels {

/// vLLM mxfp8_utils.py, _fused_add_rms_norm_quant_kernel: Triton. R-1, N-B.
struct VllmAddNormMxfp8 : NormThenGroup<RoundedSum, VllmMxfp8Fused> {
  static constexpr const char* kContract = "vllm.fused_add_rms_norm_mxfp8_quant";
};

template <class Rules, class T, int kWarp, int kRuns>
SIMT_KERNEL void rms_norm_quant_mx(NormArguments<T> a, uint8_t* q, BytesOut out) {
  static_assert(Rules::Norm::kRoundsOutput && 8 * kFusedRun == kMxBlock);
  const NormalizedRow<typename Rules::Norm, T, kWarp, kRuns * kFusedRun, kFusedRun> row(a);
  row.for_each_rounded([&](int first, const auto& words) {
    float u[kMxBlock];
    SIMT_UNROLL
    for (int i = 0; i < kMxBlock; i += 2) simt::pair_to_floats<T>(words[i / 8].at[i % 8 / 2], u[i], u[i + 1]);
    quantize_block<typename Rules::Group, kWarp>(u, first < a.n, q + simt::block() * a.n + first, out, simt::block(), first / kMxBlock);
  });
  row.finish();
  out.template write_absent<typename Rules::Group>();
}

template <class Rules>
void run_rms_norm_quant_mx(const Call& call) {
  const NormInputs inputs(call, Rules::Norm::kAdds);
  expect_mx_codes(call, inputs.shape, Rules::Group::Code::kType);
  const BytesOut out = bytes_out(call, inputs.shape);
  if (inputs.shape.rows == 0) return;
  uint8_t* const q = static_cast<uint8_t*>(call.output("q").data);
  with_fused_rows(call, inputs, [&](auto type, auto warp, auto each, const simt::Launch& grid) {
    using T = decltype(type);
    simt::launch(rms_norm_quant_mx<Rules, T, decltype(warp)::value, decltype(each)::value>, grid, inputs.arguments<T>(), q, out);
  });
}

}  // namespace assay_kernels
