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

/// Neighbouring loads of a thread: with four, the sums and scales of a group of 128 are the work of four threads. On an H200 this
/// kernel is bound by its instructions, and one load a thread takes a third longer.
inline constexpr int kFusedRun = 4;

template <class Rules, class T, int kWarp, int kRuns, int kLanes>
SIMT_KERNEL void rms_norm_quant_group(GroupArguments<T> a, const T* gamma, int32_t n, float eps) {
  using Norm = typename Rules::Norm;
  const int64_t first = simt::block() * n;
  const int loads = n / 8;
  const auto row = load_row<T, kRuns * kFusedRun, kFusedRun>(a.x + first, loads);
  const float r = row_factor<Norm, kWarp>(row, loads, eps);
  SIMT_UNROLL
  for (int k = 0; k < kRuns * kFusedRun; k += kFusedRun) {
    const int load = row.load_of(k);
    const bool live = load < loads;
    float v[8 * kFusedRun];
    SIMT_UNROLL
    for (int j = 0; j < kFusedRun; ++j) {
      const auto y = normalize<Norm>(row.at[k + j], r, live ? simt::load16(gamma + (load + j) * 8) : simt::Vector<T>{});
      SIMT_UNROLL
      for (int i = 0; i < 8; ++i) v[8 * j + i] = simt::to_float(y.at[i]);
    }
    quantize_elements<typename Rules::Group, kWarp, kLanes>(v, live, a.q + first + load * 8, a.scales, simt::block(),
                                                            load / (kLanes * kFusedRun));
  }
  write_absent_groups<typename Rules::Group>(a.scales);
  write_absent_rows<typename Rules::Group>(a.scales);
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
  const simt::Launch grid = call.grid(shape.rows, simt::block_threads(n / 8 / kFusedRun, call.warp()));
  with_half_type(x, [&](auto type) {
    using T = decltype(type);
    const GroupArguments<T> a{data_of<T>(x), out.q, out.scales, int32_t(size), {}};
    with_warp(call, [&](auto warp) {
      with_loads(n / 8 / kFusedRun, grid.threads, [&](auto each) {
        constexpr int kWarp = decltype(warp)::value, kRuns = decltype(each)::value;
        const T* weights = data_of<T>(gamma);
        if (size == 32)
          return simt::launch(rms_norm_quant_group<Rules, T, kWarp, kRuns, 4 / kFusedRun>, grid, a, weights, n, eps);
        if (size == 64)
          return simt::launch(rms_norm_quant_group<Rules, T, kWarp, kRuns, 8 / kFusedRun>, grid, a, weights, n, eps);
        simt::launch(rms_norm_quant_group<Rules, T, kWarp, kRuns, 16 / kFusedRun>, grid, a, weights, n, eps);
      });
    });
  });
}

}  // namespace assay_kernels
