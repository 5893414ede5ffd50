// rms_norm and group quantization in one pass over x, with fp32 or packed UE8M0 scales, and with a residual or without.
#pragma once

#include "kernels/ops/fused_add_rms_norm/fused_add_rms_norm.h"
#include "kernels/ops/quant_group/problem.h"
#include "kernels/ops/rms_norm_quant_group/rules.h"

namespace assay_kernels {

/// Neighbouring loads of a thread: with four, the sums and scales of a group of 128 are the work of four threads. On an H200 this
/// kernel is bound by its instructions, and one load a thread takes a third longer.
inline constexpr int kFusedRun = 4;

template <class Rules, class T, int kWarp, int kRuns, int kLanes>
SIMT_KERNEL void rms_norm_quant_group(GroupArguments<T> a, T* residual, const T* gamma, int32_t n, float eps) {
  using Norm = typename Rules::Norm;
  const int64_t first = simt::block() * n;
  const int loads = n / 8;
  const NormalizedRow<Norm, T, kWarp, kRuns * kFusedRun, kFusedRun> z(a.x, residual, first, loads, eps);
  SIMT_UNROLL
  for (int k = 0; k < kRuns * kFusedRun; k += kFusedRun) {
    const int load = z.row.load_of(k);
    const bool live = load < loads;
    float v[8 * kFusedRun];
    SIMT_UNROLL
    for (int j = 0; j < kFusedRun; ++j) {
      float y[8];
      normalize_to_float<Norm>(z.row.at[k + j], z.r, live ? simt::load16(gamma + (load + j) * 8) : simt::Vector<T>{}, y);
      SIMT_UNROLL
      for (int i = 0; i < 8; ++i) v[8 * j + i] = y[i];
    }
    quantize_elements<typename Rules::Group, kWarp, kLanes>(v, live, a.q + first + load * 8, a.scales, simt::block(),
                                                            load / (kLanes * kFusedRun), a.scale_ub);
  }
  write_absent_groups<typename Rules::Group>(a.scales);
  write_absent_rows<typename Rules::Group>(a.scales);
}

/// with_loads() for as many as kMost loads a thread: each number of them is a kernel of every contract.
template <int kMost, class F>
void with_few_loads(int64_t loads, int threads, F f) {
  if (loads > int64_t{kMost} * threads) unsupported("rows of more than " + std::to_string(kMost * threads) + " runs of 16 bytes");
  with_loads(loads, threads, [&](auto each) {
    if constexpr (decltype(each)::value <= kMost) f(each);
  });
}

/// The residual of a call whose contract adds one, else null.
template <class Rules, class T>
T* residual_or_null(const Call& call, Shape shape) {
  if constexpr (Rules::Norm::kAdds) return static_cast<T*>(residual_of(call, shape).data);
  return nullptr;
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
    GroupArguments<T> a{data_of<T>(x), out.q, out.scales, int32_t(size), {}};
    if (Group::kBounded) a.scale_ub = float(call.number("scale_ub"));
    T* residual = residual_or_null<Rules, T>(call, shape);
    with_warp(call, [&](auto warp) {
      with_few_loads<4>(n / 8 / kFusedRun, grid.threads, [&](auto each) {
        constexpr int kWarp = decltype(warp)::value, kRuns = decltype(each)::value;
        const T* weights = data_of<T>(gamma);
        if (size == 32)
          return simt::launch(rms_norm_quant_group<Rules, T, kWarp, kRuns, 4 / kFusedRun>, grid, a, residual, weights, n, eps);
        if (size == 64)
          return simt::launch(rms_norm_quant_group<Rules, T, kWarp, kRuns, 8 / kFusedRun>, grid, a, residual, weights, n, eps);
        simt::launch(rms_norm_quant_group<Rules, T, kWarp, kRuns, 16 / kFusedRun>, grid, a, residual, weights, n, eps);
      });
    });
  });
}

}  // namespace assay_kernels
