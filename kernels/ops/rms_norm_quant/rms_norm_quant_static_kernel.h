// rms_norm with quantization by one scale that is an input, and rms_norm whose output is quantized twice.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "kernels/ops/call.h"
#include "kernels/ops/quant_static/quant_static_kernel.h"
#include "kernels/ops/rms_norm_quant/rms_norm_quant_group_contracts.h"
#include "kernels/ops/rms_norm_quant/rms_norm_quant_group_kernel.h"

namespace assay_kernels {

// An all-reduce that is fused with this op calls run_norm_static() too.

/// Runs the contract of NormStaticList that the call names.
void run_norm_static(const Call& call);

template <class NormOfRow, class GivenScale>
struct NormThenStatic {
  using Norm = NormOfRow;
  using Given = GivenScale;
};

/// The norm's output is rounded to 16 bits before quantization, as rms_norm rounds it.
/// Source: vLLM csrc/libtorch_stable/layernorm_quant_kernels.cu (0e1d935d) and its earlier version.
struct NormStaticV0191 : NormThenStatic<VllmRmsNormV0191, VllmStatic> {
  static constexpr const char* kContract = "vllm.rms_norm_static_fp8_quant@v0.19.1";
};
struct NormStatic20260618 : NormThenStatic<VllmRmsNorm20260618, VllmStatic> {
  static constexpr const char* kContract = "vllm.rms_norm_static_fp8_quant@2026-06-18";
};
struct NormStaticFnuz : NormThenStatic<VllmRmsNorm20260618, VllmStaticFnuz> {
  static constexpr const char* kContract = "vllm.rms_norm_static_fp8_quant_fnuz";
};
struct AddNormStaticV0191 : NormThenStatic<VllmFusedAddRmsNormV0191, VllmStatic> {
  static constexpr const char* kContract = "vllm.fused_add_rms_norm_static_fp8_quant@v0.19.1";
};
struct AddNormStatic20260618 : NormThenStatic<VllmFusedAddRmsNorm20260618, VllmStatic> {
  static constexpr const char* kContract = "vllm.fused_add_rms_norm_static_fp8_quant@2026-06-18";
};
/// rcp.approx.ftz may be off by an ulp; this kernel uses the rounded quotient, which is allowed.
struct FlashinferStatic : VllmStatic {
  SIMT_DEVICE static float operand(float /*amax*/, float scale) { return flushed(1.0f / flushed(scale)); }
};
/// The source does not clamp when it converts a whole vector of elements, so NaN stays NaN.
struct FlashinferStaticCute : FlashinferStatic {
  SIMT_DEVICE static float clamp(float v) { return v; }
};

/// Source: FlashInfer include/flashinfer/norm.cuh (fb28d724).
struct FlashinferNormStatic : NormThenStatic<Flushing<PlusZero<WideNorm>>, FlashinferStatic> {
  static constexpr const char* kContract = "flashinfer.rmsnorm_quant";
};
struct FlashinferAddNormStatic : NormThenStatic<Flushing<PlusZero<WideAddNorm>>, FlashinferStatic> {
  static constexpr const char* kContract = "flashinfer.fused_add_rmsnorm_quant";
};
/// The CuTe DSL kernels.
/// Source: FlashInfer flashinfer/norm/kernels/ (fb28d724).
struct FlashinferNormStaticCute : NormThenStatic<PlusZero<WideNorm>, FlashinferStaticCute> {
  static constexpr const char* kContract = "flashinfer.rmsnorm_quant@v0.6.7";
};
struct FlashinferAddNormStaticCute : NormThenStatic<PlusZero<WideAddNorm>, FlashinferStaticCute> {
  static constexpr const char* kContract = "flashinfer.fused_add_rmsnorm_quant@v0.6.7";
};

/// The norm after an all-reduce.
/// Source: FlashInfer include/flashinfer/comm/trtllm_allreduce_fusion.cuh (fb28d724).
struct FlashinferTrtllmNormStatic : NormThenStatic<FlashinferTrtllmAddRmsNorm, FlashinferStaticCute> {
  static constexpr const char* kContract = "flashinfer.trtllm_add_rms_norm_fp8";
};

using NormStaticList = NormList<NormStaticV0191, NormStatic20260618, NormStaticFnuz, AddNormStaticV0191, AddNormStatic20260618,
                                FlashinferNormStatic, FlashinferAddNormStatic, FlashinferNormStaticCute,
                                FlashinferAddNormStaticCute, FlashinferTrtllmNormStatic>;

template <class Rules, class T, int kWarp, int kLoads>
SIMT_KERNEL void rms_norm_quant_static(NormArguments<T> a, uint8_t* q, const float* scale) {
  using Given = typename Rules::Given;
  using Row = NormalizedRow<typename Rules::Norm, T, kWarp, kLoads>;
  const Row row(a);
  const Results<typename Rules::Norm, T, Row, 0> results(row);
  store_codes(results, q, a.n, CodesByElement<Given>(Given::operand(0.0f, *scale)));
  row.finish();
}

template <class Rules>
void run_rms_norm_quant_static(const Call& call) {
  using Given = typename Rules::Given;
  const NormInputs inputs(call, Rules::Norm::kAdds);
  const assay_tensor &q = call.output("q"), &scale = call.input("scale");
  const bool whole = expect_rows_of(q, inputs) && inputs.in_sixteens;
  if (!has_type(q, Given::Code::kType, 8)) unsupported(std::string("q must have the code type of contract ") + Rules::kContract);
  if (!has_type(scale, ASSAY_FLOAT, 32)) unsupported("scale must be fp32");
  expect_matrix(scale, {1, 1});
  if (inputs.shape.rows == 0) return;
  const simt::Launch grid = call.grid(inputs.shape.rows, simt::block_threads(inputs.loads(), call.warp()));
  with_half_type(inputs.x, [&](auto type) {
    using T = decltype(type);
    with_warp(call, [&](auto warp) {
      with_row<8>(inputs.loads(), grid.threads, whole, [&](auto loads) {
        simt::launch(rms_norm_quant_static<Rules, T, decltype(warp)::value, decltype(loads)::value>, grid,
                     inputs.arguments<T>(), static_cast<uint8_t*>(q.data), data_of<float>(scale));
      });
    });
  });
}

// rms_norm_double_quant quantizes its result twice. ConsumerCall turns a call with both quantizations into a call with one of them.

class ConsumerCall {
 public:
  /// Drops the outputs of the other quantization. Renames the outputs `codes` and `scales` to q and scale. Views tensors [a, b,
  /// n] as matrices [a * b, n].
  ConsumerCall(const Call& both, const std::string& codes, const std::string& scales);
  ConsumerCall(const ConsumerCall&) = delete;
  const Call& call() const { return *checked_; }

 private:
  std::vector<assay_tensor> tensors_;
  std::vector<std::array<int64_t, 4>> extents_;  ///< shapes and strides of flattened tensors
  assay_call raw_;
  std::optional<Call> checked_;
};

// One norm and two quantizations of its result, computed as two independent fused calls (vLLM #41825). x and the codes may have
// three dimensions; outputs that the source reshapes by view(-1, H) have two.

/// AITER's fused kernel, which quantizes the fp32 result of the norm.
struct DoubleFused : AiterNorm {
  static constexpr const char* kContract = "aiter.double_quant_fused";
};
struct DoubleFusedFnuz : AiterNormFnuz {
  static constexpr const char* kContract = "aiter.double_quant_fused_fnuz";
};
/// The earlier unfused version: the output of AITER's norm is stored, then AITER quantizes it by groups.
struct DoubleUnfused : NormThenGroup<AiterRmsNorm, AiterPer1x128> {
  static constexpr const char* kContract = "aiter.double_quant_unfused";
};
struct DoubleUnfusedV0117 : NormThenGroup<AiterRmsNormV0117, AiterPer1x128> {
  static constexpr const char* kContract = "aiter.double_quant_unfused@v0.1.17";
};
struct DoubleUnfusedGfx942 : NormThenGroup<AiterRmsNormGfx942, AiterPer1x128Fnuz> {
  static constexpr const char* kContract = "aiter.double_quant_unfused_gfx942";
};
/// Like DoubleUnfused, with vLLM's native IR instead of AITER's norm.
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
