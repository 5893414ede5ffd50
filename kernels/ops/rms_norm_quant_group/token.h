// rms_norm and dynamic per-token quantization: one block a row, the row held in registers.
#pragma once

#include "kernels/ops/rms_norm_quant_group/rms_norm_quant_group.h"

namespace assay_kernels {

template <class Rules, class T, int kWarp, int kLoads>
SIMT_KERNEL void rms_norm_quant_token(GroupArguments<T> a, T* residual, const T* gamma, int32_t n, float eps) {
  using Norm = typename Rules::Norm;
  using Group = typename Rules::Group;
  const int64_t first = simt::block() * n;
  const int loads = n / 8;
  const NormalizedRow<Norm, T, kWarp, kLoads, 1> z(a.x, residual, first, loads, eps);
  float widest = 0.0f;
  SIMT_UNROLL
  for (int k = 0; k < kLoads; ++k) {
    const int load = z.row.load_of(k);
    if (load >= loads) continue;
    float v[8];
    normalize_to_float<Norm>(z.row.at[k], z.r, simt::load16(gamma + load * 8), v);
    SIMT_UNROLL
    for (int i = 0; i < 8; ++i) widest = Group::widest(widest, simt::magnitude(v[i]));
  }
  widest = simt::block_reduce<kWarp>(
      widest, 0.0f, [](float u, float v) { return Group::widest(u, v); }, [] { simt::barrier(); });
  const float amax = Group::amax(widest);
  float scale;
  if constexpr (Group::kBounded) {
    scale = Group::scale_within(amax, a.scale_ub);
  } else {
    scale = Group::scale(amax);
  }
  const typename Group::Element element(Group::operand(amax, scale));
  if (simt::thread() == 0) store_scale<Group>(a.scales, simt::block(), 0, scale);
  SIMT_UNROLL
  for (int k = 0; k < kLoads; ++k) {
    const int load = z.row.load_of(k);
    if (load >= loads) continue;
    float v[8];
    normalize_to_float<Norm>(z.row.at[k], z.r, simt::load16(gamma + load * 8), v);
    SIMT_UNROLL
    for (int i = 0; i < 8; ++i) v[i] = Group::clamp(element(v[i]));
    simt::store8(a.q + first + load * 8, Group::Code::encode4(v), Group::Code::encode4(v + 4));
  }
}

template <class Rules>
void run_rms_norm_quant_token(const Call& call) {
  using Group = typename Rules::Group;
  const Shape shape = norm_inputs(call);
  const assay_tensor& x = call.input("x");
  const GroupOutputs out = group_outputs(call, shape, shape.columns, Group::Code::kType, false);
  expect_aligned(call.output("q"));
  if (shape.rows == 0) return;
  const auto n = int32_t(shape.columns);
  const auto eps = float(call.number("eps"));
  const simt::Launch grid = call.grid(shape.rows, simt::block_threads(n / 8, call.warp()));
  with_half_type(x, [&](auto type) {
    using T = decltype(type);
    GroupArguments<T> a{data_of<T>(x), out.q, out.scales, n, {}};
    if (Group::kBounded) a.scale_ub = float(call.number("scale_ub"));
    T* residual = residual_or_null<Rules, T>(call, shape);
    with_warp(call, [&](auto warp) {
      with_few_loads<8>(n / 8, grid.threads, [&](auto each) {
        simt::launch(rms_norm_quant_token<Rules, T, decltype(warp)::value, decltype(each)::value>, grid, a, residual,
                     data_of<T>(call.input("gamma")), n, eps);
      });
    });
  });
}

}  // namespace assay_kernels
