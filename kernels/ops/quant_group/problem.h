// The host's side of a group quantization: what the call says, and how the kernels are started on it.
#pragma once

#include "kernels/ops/dispatch.h"
#include "kernels/ops/quant_group/register.h"
#include "kernels/ops/quant_group/shared.h"
#include "kernels/ops/quant_group/token.h"

namespace assay_kernels {

/// Checks `q` and `scale` of the call and gives them to the kernels. x is [rows, columns].
struct GroupOutputs {
  uint8_t* q;
  ScalesOut scales;
};
GroupOutputs group_outputs(const Call& call, Shape x, int64_t group_size, int code_type, bool packed);

/// group_size of the call; it must divide the columns.
int64_t group_size_of(const Call& call, Shape x);

template <class Rules>
void run_register(const Call& call) {
  const assay_tensor& x = call.input("x");
  expect_aligned(x);
  expect_aligned(call.output("q"));
  const Shape shape = dense_matrix(x);
  const int64_t size = group_size_of(call, shape);
  const GroupOutputs out = group_outputs(call, shape, size, Rules::Code::kType, Rules::kPacked);
  if (shape.rows == 0) return;
  const int64_t loads = shape.rows * shape.columns / 8;
  const simt::Launch grid =
      call.grid((loads + kRegisterThreads * kRegisterLoads - 1) / (kRegisterThreads * kRegisterLoads), kRegisterThreads);
  with_half_type(x, [&](auto type) {
    using T = decltype(type);
    const GroupArguments<T> a{data_of<T>(x), out.q, out.scales, int32_t(size), Divider::by(uint32_t(size))};
    with_warp(call, [&](auto warp) {
      constexpr int kWarp = decltype(warp)::value;
      if (size == 32) return simt::launch(quant_group_register<Rules, T, kWarp, 4>, grid, a);
      if (size == 64) return simt::launch(quant_group_register<Rules, T, kWarp, 8>, grid, a);
      if (size == 128) return simt::launch(quant_group_register<Rules, T, kWarp, 16>, grid, a);
      unsupported("groups of 32, 64 or 128 elements only");
    });
  });
}

template <class Rules>
void run_shared(const Call& call) {
  const assay_tensor& x = call.input("x");
  const Shape shape = dense_matrix(x);
  const int64_t size = group_size_of(call, shape);
  if (size > kMaxSharedGroup || size % 8 != 0)
    unsupported("groups of at most " + std::to_string(kMaxSharedGroup) + " elements, in eights");
  expect_aligned(x);
  expect_aligned(call.output("q"));
  GroupOutputs out = group_outputs(call, shape, size, Rules::Code::kType, Rules::kPacked);
  if (shape.rows == 0) return;
  // Places for groups in a row: whole words if scales are packed.
  const int64_t places = Rules::kPacked ? (out.scales.groups + 3) / 4 * 4 : out.scales.groups;
  out.scales.by_groups = Divider::by(uint32_t(places));
  const simt::Launch grid = call.grid((shape.rows * places + kTeams - 1) / kTeams, kSharedThreads);
  with_type(x, [&](auto type) {
    using T = decltype(type);
    const GroupArguments<T> a{data_of<T>(x), out.q, out.scales, int32_t(size), Divider::by(uint32_t(size))};
    with_warp(call, [&](auto warp) {
      constexpr int kWarp = decltype(warp)::value;
      if (size == 128) return simt::launch(quant_group_shared<Rules, T, kWarp, 128>, grid, a);
      simt::launch(quant_group_shared<Rules, T, kWarp, 0>, grid, a);
    });
  });
}

template <class Rules>
void run_token(const Call& call) {
  const assay_tensor& x = call.input("x");
  expect_aligned(x);
  expect_aligned(call.output("q"));
  const Shape shape = dense_matrix(x);
  const GroupOutputs out = group_outputs(call, shape, shape.columns, Rules::Code::kType, Rules::kPacked);
  if (shape.columns % 8 != 0) unsupported("rows must be a multiple of 8 elements");
  if (shape.rows == 0) return;
  with_type(x, [&](auto type) {
    using T = decltype(type);
    GroupArguments<T> a{data_of<T>(x), out.q, out.scales, int32_t(shape.columns), {}};
    if (Rules::kBounded) a.scale_ub = float(call.number("scale_ub"));
    const int64_t loads = shape.columns / simt::Vector<T>::kElements;
    const simt::Launch grid = call.grid(shape.rows, simt::block_threads(loads, call.warp()));
    with_warp(call, [&](auto warp) {
      with_loads(loads, grid.threads,
                 [&](auto each) { simt::launch(quant_token<Rules, T, decltype(warp)::value, decltype(each)::value>, grid, a); });
    });
  });
}

}  // namespace assay_kernels
