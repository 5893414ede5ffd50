// silu(gate) * up and MXFP8 in registers: eight elements of each half in a thread, a block of 32 in four neighbouring threads.
#pragma once

#include "kernels/ops/quant_mx/problem.h"
#include "kernels/ops/quant_mx/vllm.h"
#include "kernels/ops/silu_mul_quant_group/problem.h"
#include "kernels/ops/silu_mul_quant_group/rules.h"

namespace assay_kernels {

/// vLLM mxfp8_utils.py, _silu_and_mul_quant_kernel: Triton.
struct VllmSiluMxfp8 : SiluGroup<SiluTriton, VllmMxfp8Fused> {
  static constexpr const char* kContract = "vllm.silu_and_mul_mxfp8_quant";
};

template <class T>
struct GatedMxArguments {
  const T* x;  ///< rows of 2n: gate, then up
  uint8_t* q;
  BytesOut out;
  int32_t n;
};

template <class Rules, class T, int kWarp>
SIMT_KERNEL void silu_mul_quant_mx(GatedMxArguments<T> a) {
  const int64_t load = simt::block() * kGatedThreads + simt::thread();
  const uint32_t block = uint32_t(load / kMxLanes), row = a.out.by_groups.quotient(block);
  const bool live = block < uint32_t(a.out.rows * a.out.groups);
  LaneWords<1> gate{}, up{};
  if (live) {
    const int64_t at = int64_t{row} * a.n + load * 8;  // the rows before it have n more elements than codes
    gate.load(a.x + at + (Rules::kGateFirst ? 0 : a.n));
    up.load(a.x + at + (Rules::kGateFirst ? a.n : 0));
  }
  float v[8];
  silu_times_up<typename Rules::Activation, T>(gate, up, v);
  quantize_block<typename Rules::Group, kWarp>(v, live, a.q + load * 8, a.out, row, int32_t(block - row * a.out.by_groups.divisor));
  a.out.template write_absent<typename Rules::Group>();
}

template <class Rules>
void run_silu_mul_quant_mx(const Call& call) {
  const Shape shape = gated_shape(call);
  expect_mx_codes(call, shape, Rules::Group::Code::kType);
  const BytesOut out = bytes_out(call, shape);
  if (shape.rows == 0) return;
  const simt::Launch grid = call.grid((shape.rows * shape.columns / 8 + kGatedThreads - 1) / kGatedThreads, kGatedThreads);
  with_half_type(call.input("x"), [&](auto type) {
    using T = decltype(type);
    const GatedMxArguments<T> a{data_of<T>(call.input("x")), static_cast<uint8_t*>(call.output("q").data), out, int32_t(shape.columns)};
    with_warp(call, [&](auto warp) { simt::launch(silu_mul_quant_mx<Rules, T, decltype(warp)::value>, grid, a); });
  });
}

}  // namespace assay_kernels
