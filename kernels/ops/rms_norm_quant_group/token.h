// rms_norm and dynamic per-token quantization: one block a row.
#pragma once

#include "kernels/ops/rms_norm/results.h"
#include "kernels/ops/rms_norm_quant_group/rms_norm_quant_group.h"

namespace assay_kernels {

template <class Rules, class T, int kWarp, int kLoads>
SIMT_KERNEL void rms_norm_quant_token(NormArguments<T> a, GroupsOut out) {
  using Norm = typename Rules::Norm;
  using Group = typename Rules::Group;
  using Row = NormalizedRow<Norm, T, kWarp, kLoads>;
  const Row row(a);
  const Results<Norm, T, Row> results(row);
  const float widest = simt::block_reduce<kWarp, 1>(
      results.template widest<Group>(), 0.0f, [](float u, float v) { return Group::widest(u, v); }, [] { simt::barrier(); });
  const float amax = Group::amax(widest);
  float scale;
  if constexpr (Group::kBounded) {
    scale = Group::scale_within(amax, out.scale_ub);
  } else {
    scale = Group::scale(amax);
  }
  if (simt::thread() == 0) store_scale<Group>(out.scales, simt::block(), 0, scale);
  store_codes(results, out.q, a.n, CodesOf<Group>(Group::operand(amax, scale)));
  row.finish();
}

template <class Rules>
void run_rms_norm_quant_token(const Call& call) {
  using Group = typename Rules::Group;
  const NormInputs inputs(call, Rules::Norm::kAdds, Rules::Norm::kGates);
  const GroupOutputs outputs = group_outputs(call, inputs.shape, inputs.shape.columns, Group::Code::kType, false);
  const bool whole = expect_rows_of(call.output("q"), inputs) && inputs.in_sixteens;
  if (inputs.shape.rows == 0) return;
  const GroupsOut out{outputs.q, outputs.scales, Group::kBounded ? float(call.number("scale_ub")) : 0.0f};
  const simt::Launch grid = call.grid(inputs.shape.rows, simt::block_threads(inputs.loads(), call.warp()));
  with_half_type(inputs.x, [&](auto type) {
    using T = decltype(type);
    with_warp(call, [&](auto warp) {
      with_row<8>(inputs.loads(), grid.threads, whole, [&](auto loads) {
        simt::launch(rms_norm_quant_token<Rules, T, decltype(warp)::value, decltype(loads)::value>, grid, inputs.arguments<T>(),
                     out);
      });
    });
  });
}

}  // namespace assay_kernels
