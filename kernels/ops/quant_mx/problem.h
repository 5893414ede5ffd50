// The host's side of an MXFP8 quantization: what the call says, and how the kernels are started on it.
#pragma once

#include "kernels/ops/catalogue.h"
#include "kernels/ops/dispatch.h"
#include "kernels/ops/quant_mx/mx.h"

namespace assay_kernels {

inline const Values kMxLayouts{"e8m0_row", "e8m0_128x4", "e8m0_8x4", "e8m0_32x8", "e8m0_n32k4"};

/// Checks `scale` of the call, E8M0 bytes for m rows of G blocks in the layout that scale_tile_rows and scale_tile_columns name.
BytesOut bytes_out(const Call& call, Shape x);

/// The same for the rows of experts, whose tensors `expert_offsets` and `blockscale_offsets` say where each begins.
ExpertBytesOut expert_bytes_out(const Call& call, Shape x);

/// Checks `q`, an element a byte of that type for each of that shape; block size 32 must divide the columns.
void expect_mx_codes(const Call& call, Shape shape, int code_type);

/// Checks `x` and `q`.
Shape mx_shape(const Call& call, int code_type);

template <class Rules, class Out>
void launch_mx(const Call& call, Shape shape, const Out& out) {
  if (shape.rows == 0) return;
  constexpr int64_t kRun = kRegisterThreads * kRegisterLoads;
  const simt::Launch grid = call.grid((shape.rows * shape.columns / 8 + kRun - 1) / kRun, kRegisterThreads);
  with_half_type(call.input("x"), [&](auto type) {
    using T = decltype(type);
    const MxArguments<T, Out> a{data_of<T>(call.input("x")), static_cast<uint8_t*>(call.output("q").data), out};
    with_warp(call, [&](auto warp) { simt::launch(quant_mx<Rules, T, decltype(warp)::value, Out>, grid, a); });
  });
}

template <class Rules>
void run_mx(const Call& call) {
  const Shape shape = mx_shape(call, Rules::Code::kType);
  launch_mx<Rules>(call, shape, bytes_out(call, shape));
}

template <class Rules>
void run_mx_experts(const Call& call) {
  const Shape shape = mx_shape(call, Rules::Code::kType);
  launch_mx<Rules>(call, shape, expert_bytes_out(call, shape));
}

}  // namespace assay_kernels
