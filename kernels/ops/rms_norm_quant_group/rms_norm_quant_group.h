// rms_norm, rounded to the type of x, and group quantization with packed UE8M0 scales, in one pass over x. Upstream skips this
// fusion on Blackwell (vLLM PR 40552): its fused kernel knows no packed scales.
#pragma once

#include "kernels/ops/quant_group/problem.h"
#include "kernels/ops/quant_group/vllm.h"
#include "kernels/ops/rms_norm/rms_norm.h"

namespace assay_kernels {

struct NormGroupPacked {
  static constexpr const char* kContract = "assay.rms_norm_group_packed";
  using Norm = VllmRmsNorm20260618;
  using Group = VllmGroupFp8Packed;
};

template <class Rules, class T, int kWarp, int kLoads, int kLanes>
SIMT_KERNEL void rms_norm_quant_group(GroupArguments<T> a, const T* gamma, int32_t n, float eps) {
  using Norm = typename Rules::Norm;
  const int64_t first = simt::block() * n;
  const int loads = n / 8;
  const auto row = load_row<T, kLoads>(a.x + first, loads);
  const float r = row_factor<Norm, kWarp>(row, loads, eps);
  SIMT_UNROLL
  for (int k = 0; k < kLoads; ++k) {
    const int load = row.load_of(k);
    const bool live = load < loads;
    const auto y = normalize<Norm>(row.at[k], r, live ? simt::load16(gamma + load * 8) : simt::Vector<T>{});
    float v[8];
    SIMT_UNROLL
    for (int i = 0; i < 8; ++i) v[i] = simt::to_float(y.at[i]);
    quantize_eight<typename Rules::Group, kWarp, kLanes>(v, live, a.q + first + load * 8, a.scales, simt::block(), load / kLanes);
  }
}

template <class Rules>
void run_rms_norm_quant_group(const Call& call) {
  using Group = typename Rules::Group;
  const Shape shape = norm_inputs(call);
  const assay_tensor &x = call.input("x"), &gamma = call.input("gamma");
  const int64_t size = group_size_of(call, shape);
  const GroupOutputs out = group_outputs(call, shape, size, Group::Code::kType, Group::kPacked);
  expect_aligned(call.output("q"));
  if (size != 32 && size != 64 && size != 128) unsupported("groups of 32, 64 or 128 elements only");
  if (shape.rows == 0) return;
  const auto n = int32_t(shape.columns);
  const auto eps = float(call.number("eps"));
  const simt::Launch grid = call.grid(shape.rows, simt::block_threads(n / 8, call.warp()));
  with_half_type(x, [&](auto type) {
    using T = decltype(type);
    const GroupArguments<T> a{data_of<T>(x), out.q, out.scales, int32_t(size)};
    with_warp(call, [&](auto warp) {
      with_loads(n / 8, grid.threads, [&](auto each) {
        constexpr int kWarp = decltype(warp)::value, kLoads = decltype(each)::value;
        const T* weights = data_of<T>(gamma);
        if (size == 32) return simt::launch(rms_norm_quant_group<Rules, T, kWarp, kLoads, 4>, grid, a, weights, n, eps);
        if (size == 64) return simt::launch(rms_norm_quant_group<Rules, T, kWarp, kLoads, 8>, grid, a, weights, n, eps);
        simt::launch(rms_norm_quant_group<Rules, T, kWarp, kLoads, 16>, grid, a, weights, n, eps);
      });
    });
  });
}

}  // namespace assay_kernels
