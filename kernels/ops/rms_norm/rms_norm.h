// y = x / sqrt(mean(x^2) + eps) * gamma, one block a row; or of x + residual, which is stored in place of the residual.
#pragma once

#include "kernels/ops/rms_norm/normalized_row.h"

namespace assay_kernels {

/// kLoads 0: rows of any length at any address.
template <class Rules, class T, int kWarp, int kLoads>
SIMT_KERNEL void rms_norm(NormArguments<T> a, T* y) {
  using Row = NormalizedRow<Rules, T, kWarp, kLoads>;
  const Row row(a);
  row.for_each([&](int first, const auto& v) {
    store_of_row(y + simt::block() * a.n, first, a.n, Row::kWhole, rounded<T, typename Rules::Store>(v[0]));
  });
  row.finish();
}

template <class Rules>
void run_rms_norm(const Call& call) {
  const NormInputs inputs(call, Rules::kAdds);
  const assay_tensor& y = call.output("y");
  if (!has_type(y, inputs.x.type_code, inputs.x.type_bits)) unsupported("y must have the type of x");
  const bool whole = expect_rows_of(y, inputs) && inputs.in_sixteens;
  if (inputs.shape.rows == 0) return;
  const simt::Launch grid = call.grid(inputs.shape.rows, simt::block_threads(inputs.loads(), call.warp()));
  with_type(inputs.x, [&](auto type) {
    using T = decltype(type);
    with_warp(call, [&](auto warp) {
      with_row<16>(inputs.loads(), grid.threads, whole, [&](auto loads) {
        simt::launch(rms_norm<Rules, T, decltype(warp)::value, decltype(loads)::value>, grid, inputs.arguments<T>(),
                     static_cast<T*>(y.data));
      });
    });
  });
}

}  // namespace assay_kernels
