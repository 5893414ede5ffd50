// silu(gate) * up and its dynamic quantization by token: one block a row, whose products are made twice.
#pragma once

#include "kernels/ops/silu_mul_quant_group/problem.h"
#include "kernels/simt/block_reduce.h"

namespace assay_kernels {

inline constexpr int kTokenThreads = 256;

template <class Rules, class T>
SIMT_DEVICE void products_of_lane(const GatedArguments<T>& a, int32_t first, float (&v)[kGatedElements]) {
  const T* const row = a.x + simt::block() * 2 * int64_t{a.n} + first;
  LaneWords<2> gate, up;
  gate.load(row + (Rules::kGateFirst ? 0 : a.n));
  up.load(row + (Rules::kGateFirst ? a.n : 0));
  silu_times_up<typename Rules::Activation, T>(gate, up, v);
}

template <class Rules, class T, int kWarp>
SIMT_KERNEL void silu_mul_quant_token(GatedArguments<T> a) {
  using Group = typename Rules::Group;
  constexpr int32_t kStep = kTokenThreads * kGatedElements;
  float v[kGatedElements], widest = 0.0f;
  for (int32_t first = simt::thread() * kGatedElements; first < a.n; first += kStep) {
    products_of_lane<Rules>(a, first, v);
    SIMT_UNROLL
    for (const float product : v) widest = Group::widest(widest, simt::magnitude(product));
  }
  widest = simt::block_reduce<kWarp>(
      widest, 0.0f, [](float u, float w) { return Group::widest(u, w); }, [] { simt::barrier(); });
  const float amax = Group::amax(widest);
  float scale;
  if constexpr (Group::kBounded) {
    scale = Group::scale_within(amax, a.scale_ub);
  } else {
    scale = Group::scale(amax);
  }
  if (simt::thread() == 0) store_scale<Group>(a.scales, simt::block(), 0, scale);
  const typename Group::Element element(Group::operand(amax, scale));
  for (int32_t first = simt::thread() * kGatedElements; first < a.n; first += kStep) {
    products_of_lane<Rules>(a, first, v);
    SIMT_UNROLL
    for (int i = 0; i < kGatedElements; i += 4) {
      float u[4];
      SIMT_UNROLL
      for (int j = 0; j < 4; ++j) u[j] = Group::clamp(element(v[i + j]));
      simt::store4(a.q + simt::block() * int64_t{a.n} + first + i, Group::Code::encode4(u));
    }
  }
}

template <class Rules>
void run_silu_mul_quant_token(const Call& call) {
  using Group = typename Rules::Group;
  const Shape shape = gated_shape(call);
  if (shape.columns % kGatedElements != 0) unsupported("halves of x must be a multiple of 16 elements");
  const GroupOutputs out = group_outputs(call, shape, shape.columns, Group::Code::kType, false);
  expect_aligned(call.output("q"));
  if (shape.rows == 0) return;
  const simt::Launch grid = call.grid(shape.rows, kTokenThreads);
  const float scale_ub = Group::kBounded ? float(call.number("scale_ub")) : 0.0f;
  with_half_type(call.input("x"), [&](auto type) {
    using T = decltype(type);
    const GatedArguments<T> a{data_of<T>(call.input("x")), out.q, out.scales, int32_t(shape.columns), scale_ub};
    with_warp(call, [&](auto warp) { simt::launch(silu_mul_quant_token<Rules, T, decltype(warp)::value>, grid, a); });
  });
}

}  // namespace assay_kernels
