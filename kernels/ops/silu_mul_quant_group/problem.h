// The host's side of silu_mul_quant_group.
#pragma once

#include "kernels/ops/quant_group/problem.h"
#include "kernels/ops/silu_mul_quant_group/register.h"

namespace assay_kernels {

/// The shape of the output of a call whose x has rows of two halves.
inline Shape gated_shape(const Call& call) {
  const assay_tensor& x = call.input("x");
  expect_aligned(x);
  const Shape halves = dense_matrix(x);
  if (halves.columns % 16 != 0) unsupported("halves of x must be a multiple of 8 elements");
  return {halves.rows, halves.columns / 2};
}

/// A thread for every kGatedElements elements.
inline simt::Launch gated_grid(const Call& call, const Shape& shape) {
  constexpr int64_t kOfBlock = int64_t{kGatedThreads} * kGatedElements;
  const int64_t blocks = (shape.rows * shape.columns + kOfBlock - 1) / kOfBlock;
  if (blocks > 0x7fffffff / kGatedThreads) unsupported("more than 2^35 elements");
  return call.grid(blocks, kGatedThreads);
}

template <class Rules>
void run_silu_mul_quant_group(const Call& call) {
  using Group = typename Rules::Group;
  const Shape shape = gated_shape(call);
  const int64_t size = group_size_of(call, shape);
  const GroupOutputs out = group_outputs(call, shape, size, Group::Code::kType, Group::kPacked);
  expect_aligned(call.output("q"));
  if (shape.rows == 0) return;
  const simt::Launch grid = gated_grid(call, shape);
  const float scale_ub = Group::kBounded ? float(call.number("scale_ub")) : 0.0f;
  with_half_type(call.input("x"), [&](auto type) {
    using T = decltype(type);
    const GatedArguments<T> a{data_of<T>(call.input("x")), out.q, out.scales, int32_t(shape.columns), scale_ub};
    with_warp(call, [&](auto warp) {
      constexpr int kWarp = decltype(warp)::value;
      if (size == 32) return simt::launch(silu_mul_quant_group<Rules, T, kWarp, 2>, grid, a);
      if (size == 64) return simt::launch(silu_mul_quant_group<Rules, T, kWarp, 4>, grid, a);
      if (size == 128) return simt::launch(silu_mul_quant_group<Rules, T, kWarp, 8>, grid, a);
      unsupported("groups of 32, 64 or 128 elements only");
    });
  });
}

}  // namespace assay_kernels
