// rms_norm and quantization by one scale that the caller gives, in one pass over x.
#pragma once

#include "kernels/ops/quant_static/rules.h"
#include "kernels/ops/rms_norm_quant_group/rms_norm_quant_group.h"

namespace assay_kernels {

template <class NormOfRow, class GivenScale>
struct NormThenStatic {
  using Norm = NormOfRow;
  using Given = GivenScale;
};

/// vLLM csrc/libtorch_stable/layernorm_quant_kernels.cu (0e1d935d) and what it was before: the norm is rounded to 16 bits, and
/// its profile is that of rms_norm.
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
/// FlashInfer include/flashinfer/norm.cuh (fb28d724).
struct FlashinferNormStatic : NormThenStatic<WideNorm, VllmStatic> {
  static constexpr const char* kContract = "flashinfer.rmsnorm_quant";
};
struct FlashinferAddNormStatic : NormThenStatic<WideAddNorm, VllmStatic> {
  static constexpr const char* kContract = "flashinfer.fused_add_rmsnorm_quant";
};

using NormStaticList = NormList<NormStaticV0191, NormStatic20260618, NormStaticFnuz, AddNormStaticV0191, AddNormStatic20260618,
                                FlashinferNormStatic, FlashinferAddNormStatic>;

template <class Rules, class T, int kWarp, int kLoads>
SIMT_KERNEL void rms_norm_quant_static(const T* x, T* residual, const T* gamma, uint8_t* q, const float* scale, int32_t n,
                                       float eps) {
  using Norm = typename Rules::Norm;
  using Given = typename Rules::Given;
  const int64_t first = simt::block() * n;
  const int loads = n / 8;
  const NormalizedRow<Norm, T, kWarp, kLoads, 1> z(x, residual, first, loads, eps);
  const typename Given::Element element(Given::operand(0.0f, *scale));
  SIMT_UNROLL
  for (int k = 0; k < kLoads; ++k) {
    const int load = z.row.load_of(k);
    if (load >= loads) continue;
    float v[8];
    normalize_to_float<Norm>(z.row.at[k], z.r, simt::load16(gamma + load * 8), v);
    SIMT_UNROLL
    for (int i = 0; i < 8; ++i) v[i] = Given::clamp(element(v[i]));
    simt::store8(q + first + load * 8, Given::Code::encode4(v), Given::Code::encode4(v + 4));
  }
}

template <class Rules>
void run_rms_norm_quant_static(const Call& call) {
  using Given = typename Rules::Given;
  const Shape shape = norm_inputs(call);
  const assay_tensor &q = call.output("q"), &scale = call.input("scale");
  const Shape out = dense_matrix(q);
  if (out.rows != shape.rows || out.columns != shape.columns) wrong("q must have the shape of x");
  if (!has_type(q, Given::Code::kType, 8)) unsupported(std::string("q has not the type of contract ") + Rules::kContract);
  if (!has_type(scale, ASSAY_FLOAT, 32)) unsupported("scale must be fp32");
  expect_matrix(scale, {1, 1});
  expect_aligned(q);
  if (shape.rows == 0) return;
  const auto n = int32_t(shape.columns);
  const auto eps = float(call.number("eps"));
  const simt::Launch grid = call.grid(shape.rows, simt::block_threads(n / 8, call.warp()));
  with_half_type(call.input("x"), [&](auto type) {
    using T = decltype(type);
    T* residual = residual_or_null<Rules, T>(call, shape);
    with_warp(call, [&](auto warp) {
      with_few_loads<8>(n / 8, grid.threads, [&](auto each) {
        simt::launch(rms_norm_quant_static<Rules, T, decltype(warp)::value, decltype(each)::value>, grid,
                     data_of<T>(call.input("x")), residual, data_of<T>(call.input("gamma")), static_cast<uint8_t*>(q.data),
                     data_of<float>(scale), n, eps);
      });
    });
  });
}

}  // namespace assay_kernels
