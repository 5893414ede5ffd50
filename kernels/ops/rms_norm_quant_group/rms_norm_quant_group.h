// rms_norm and group quantization in one pass over x, with fp32 or packed UE8M0 scales, and with a residual or without.
#pragma once

#include "kernels/ops/quant_group/problem.h"
#include "kernels/ops/quant_group/widest.h"
#include "kernels/ops/rms_norm/normalized_row.h"
#include "kernels/ops/rms_norm_quant_group/rules.h"

namespace assay_kernels {

/// Neighbouring loads of a thread: with four, the sums and scales of a group of 128 are the work of four threads. On an H200 this
/// kernel is bound by its instructions, and one load a thread takes a third longer.
inline constexpr int kFusedRun = 4;

/// Where codes and scales go.
struct GroupsOut {
  uint8_t* q;
  ScalesOut scales;
  float scale_ub;  ///< of contracts that bound amax by it
};

template <class Rules, class T, int kWarp, int kRuns, int kLanes>
SIMT_KERNEL void rms_norm_quant_group(NormArguments<T> a, GroupsOut out) {
  using Norm = typename Rules::Norm;
  using Group = typename Rules::Group;
  const NormalizedRow<Norm, T, kWarp, kRuns * kFusedRun, kFusedRun> row(a);
  const auto quantize = [&](int first, const float(&u)[8 * kFusedRun], float widest) {
    quantize_elements<Group, kWarp, kLanes>(u, widest, first < a.n, out.q + simt::block() * a.n + first, out.scales,
                                            simt::block(), first / (8 * kLanes * kFusedRun), out.scale_ub);
  };
  float u[8 * kFusedRun];
  if constexpr (Norm::kRoundsOutput) {
    row.for_each_rounded([&](int first, const auto& words) {
      SIMT_UNROLL
      for (int i = 0; i < 8 * kFusedRun; i += 2) simt::pair_to_floats<T>(words[i / 8].at[i % 8 / 2], u[i], u[i + 1]);
      quantize(first, u, widest_of<Group, T>(words));
    });
  } else {
    row.for_each([&](int first, const auto& v) {
      SIMT_UNROLL
      for (int i = 0; i < 8 * kFusedRun; ++i) u[i] = v[i / 8][i % 8];
      quantize(first, u, widest_of<Group>(u));
    });
  }
  row.finish();
  write_absent_groups<typename Rules::Group>(out.scales);
  write_absent_rows<typename Rules::Group>(out.scales);
}

/// Calls f(a number of the type of x, lanes, runs that each thread keeps in registers, grid).
template <class F>
void with_fused_rows(const Call& call, const NormInputs& inputs, F f) {
  const int64_t runs = inputs.loads() / kFusedRun;
  const simt::Launch grid = call.grid(inputs.shape.rows, simt::block_threads(runs, call.warp()));
  with_half_type(inputs.x, [&](auto type) {
    with_warp(call, [&](auto warp) {
      with_row<4>(runs, grid.threads, inputs.in_sixteens, [&](auto each) { f(type, warp, each, grid); });
    });
  });
}

template <class Rules>
void run_rms_norm_quant_group(const Call& call) {
  using Group = typename Rules::Group;
  const NormInputs inputs(call, Rules::Norm::kAdds, Rules::Norm::kGates);
  const int64_t size = group_size_of(call, inputs.shape);
  const GroupOutputs outputs = group_outputs(call, inputs.shape, size, Group::Code::kType, Group::kPacked);
  expect_aligned(call.output("q"));
  if (size != 32 && size != 64 && size != 128) unsupported("groups of 32, 64 or 128 elements only");
  if (inputs.shape.rows == 0) return;
  const GroupsOut out{outputs.q, outputs.scales, Group::kBounded ? float(call.number("scale_ub")) : 0.0f};
  with_fused_rows(call, inputs, [&](auto type, auto warp, auto each, const simt::Launch& grid) {
    using T = decltype(type);
    constexpr int kWarp = decltype(warp)::value, kRuns = decltype(each)::value;
    const auto a = inputs.arguments<T>();
    if (size == 32) return simt::launch(rms_norm_quant_group<Rules, T, kWarp, kRuns, 4 / kFusedRun>, grid, a, out);
    if (size == 64) return simt::launch(rms_norm_quant_group<Rules, T, kWarp, kRuns, 8 / kFusedRun>, grid, a, out);
    simt::launch(rms_norm_quant_group<Rules, T, kWarp, kRuns, 16 / kFusedRun>, grid, a, out);
  });
}

}  // namespace assay_kernels
